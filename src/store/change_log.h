#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/datum.h"
#include "model/ids.h"

namespace muster::store {

// The ordered changes of one slot, newest `capacity` kept: what followers are streamed, and what
// lets a session that was away for a moment catch up by differences.
//
// Positions count from 1 without gaps. Changes of one service are chained, so that catching up
// costs as many steps as there are changes of that service. Loop thread only.
class ChangeLog {
public:
    explicit ChangeLog(std::size_t capacity) : capacity_(capacity) {}

    void append(DatumChange change);

    // The changes that lead from `held` to the newest version of the service, oldest first; empty
    // when the log does not reach back to `held`.
    [[nodiscard]] std::vector<DatumChange> since(const Service& service, Version held) const;

    [[nodiscard]] std::uint64_t newest() const {
        return first_ + entries_.size() - 1;
    }
    [[nodiscard]] std::uint64_t oldest() const {
        return first_;
    }

private:
    struct Entry {
        DatumChange change;
        std::uint64_t previous = 0;  // position of the service's change before this one; 0: none
    };

    std::size_t capacity_;
    std::uint64_t first_ = 1;  // position of entries_.front()
    std::deque<Entry> entries_;
    std::unordered_map<std::string, std::uint64_t> newest_of_;  // by data_info_id
};

}  // namespace muster::store
