#pragma once

#include <cstddef>
#include <set>
#include <vector>

#include "base/hash.h"
#include "model/ids.h"
#include "model/publication.h"

namespace muster::session {

// The publications of one copy, sorted by id, with the digest that their leader has of the same
// list (DatumChange::digest). Costs a hash of what is put or erased. Loop thread only.
class CopiedList {
    struct ById {
        using is_transparent = void;
        bool operator()(const PublicationPtr& a, const PublicationPtr& b) const {
            return a->id < b->id;
        }
        bool operator()(const PublicationPtr& a, const RegistId& b) const {
            return a->id < b;
        }
        bool operator()(const RegistId& a, const PublicationPtr& b) const {
            return a < b->id;
        }
    };

public:
    using const_iterator = std::set<PublicationPtr, ById>::const_iterator;

    CopiedList() = default;
    explicit CopiedList(const std::vector<PublicationPtr>& publications);

    // In the place of what has its id.
    void put(const PublicationPtr& publication);
    // Returns what comes after it.
    const_iterator erase(const_iterator at);

    [[nodiscard]] const_iterator find(const RegistId& id) const {
        return by_id_.find(id);
    }
    [[nodiscard]] bool contains(const RegistId& id) const {
        return by_id_.contains(id);
    }
    [[nodiscard]] const_iterator begin() const {
        return by_id_.begin();
    }
    [[nodiscard]] const_iterator end() const {
        return by_id_.end();
    }
    [[nodiscard]] std::size_t size() const {
        return by_id_.size();
    }
    [[nodiscard]] bool empty() const {
        return by_id_.empty();
    }
    // Over shown_digest_of() all of them.
    [[nodiscard]] const SetDigest& digest() const {
        return digest_;
    }

private:
    std::set<PublicationPtr, ById> by_id_;
    SetDigest digest_;
};

}  // namespace muster::session
