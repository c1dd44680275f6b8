#pragma once

#include <memory>
#include <unordered_map>

#include "model/datum.h"
#include "model/ids.h"
#include "model/mark.h"
#include "model/publication.h"

namespace muster::store {

// Null: nothing was said about it.
using MarkPtr = std::shared_ptr<const Mark>;

[[nodiscard]] inline bool is_drained(const MarkPtr& mark) {
    return mark != nullptr && mark->kind == Mark::Kind::drained;
}

[[nodiscard]] inline bool are_equal(const MarkPtr& a, const MarkPtr& b) {
    return a == b || (a != nullptr && b != nullptr && *a == *b);
}

// What lists show of a publication under this mark; null: nothing.
[[nodiscard]] PublicationPtr shown(const PublicationPtr& publication, const MarkPtr& mark);

// How sessions are told that lists show it no more: it may come back as it is.
[[nodiscard]] Departure hidden(const Publication& publication);

// The marks of one slot's publications, by registration id. Loop thread only. Bounded by them.
class Marks {
public:
    [[nodiscard]] const MarkPtr& of(const RegistId& id) const;
    // Null forgets it.
    void set(const RegistId& id, MarkPtr mark);
    void forget(const RegistId& id) {
        set(id, nullptr);
    }
    [[nodiscard]] std::size_t drained() const {
        return drained_;
    }

private:
    std::unordered_map<RegistId, MarkPtr> by_id_;
    std::size_t drained_ = 0;
};

}  // namespace muster::store
