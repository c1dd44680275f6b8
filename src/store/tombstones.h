#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/time.h"
#include "model/datum.h"
#include "model/ids.h"
#include "store/marks.h"
#include "store/write.h"

namespace muster::store {

// What is remembered of a registration that went: the removal that ended it, and when.
struct Tombstone {
    Write removal;  // without a publication
    MonoTime since;
    // Of what was removed, connection_of() it; none when it was not there, or is not known.
    std::optional<std::uint64_t> connection = {};
    // It closed or fell silent under this mark, and comes back under it.
    MarkPtr mark = {};
};

// The memory of one slot's registrations that went, so that no older word of them brings them back
// (I5). Loop thread only. Bounds: each is kept for kAge and until a sweep() comes to it, at most
// kMax of them (the oldest go first).
class Tombstones {
public:
    static constexpr Duration kAge = std::chrono::seconds(60);
    static constexpr std::size_t kMax = 100'000;

    // Null when there is none. Until the next change.
    [[nodiscard]] const Write* find(const RegistId& id) const;
    // Of what closed or fell silent last, connection_of() it, if it is known.
    [[nodiscard]] std::optional<std::uint64_t> connection(const RegistId& id) const;

    // Remembers it unless one that is newer, was by word, or is the same and not of what was here,
    // is remembered. Returns whether it is remembered now.
    bool bury(const Tombstone& tombstone);
    // Remembers it in place of whatever is remembered.
    void set(const Tombstone& tombstone);
    // The mark it comes back under, no longer remembered; null: none.
    MarkPtr take_mark(const RegistId& id);

    // Forgets those that are old enough, at most so many. Returns how many.
    std::size_t sweep(MonoTime now, std::size_t most = kMax);

    // What is known to have gone from `service`.
    [[nodiscard]] std::vector<Departure> departed(const Service& service) const;

    // They are numbered upwards as they are made. Visits those after `after_burial` with their
    // numbers until `visit` returns false.
    using Visit = std::function<bool(std::uint64_t burial, const Tombstone& tombstone)>;
    void visit(std::uint64_t after_burial, const Visit& visit) const;

    [[nodiscard]] std::size_t size() const {
        return by_id_.size();
    }

private:
    void unindex(const Tombstone& tombstone);
    void forget_oldest();

    std::unordered_map<RegistId, Tombstone> by_id_;
    std::unordered_map<std::string, std::unordered_set<RegistId>> departed_;  // by data_info_id
    std::deque<std::pair<MonoTime, RegistId>> ages_;
    std::uint64_t first_burial_ = 1;  // number of ages_.front()
};

}  // namespace muster::store
