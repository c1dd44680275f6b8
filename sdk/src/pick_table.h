#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/prng.h"
#include "list.h"

namespace muster::sdk_core {

// Calls under way to one address; shared by the tables of later lists and by the calls themselves.
using CallCount = std::shared_ptr<std::atomic<std::uint32_t>>;

struct PickRequest {
    muster_policy policy = MUSTER_WEIGHTED_RANDOM;
    std::string_view key;    // consistent hash
    std::uint64_t turn = 0;  // round robin: grows by one with each pick
    bool any_zone = false;
};

// What can be picked of one list: endpoints that are enabled, healthy and of a weight above zero;
// those of the own zone, and all. Immutable but for the counts; any thread.
class PickTable {
public:
    // `previous` (may be null) hands its counts on.
    PickTable(ListRef list, std::string_view own_zone, const PickTable* previous);

    // Index into list()->entries(); none when nothing is usable.
    [[nodiscard]] std::optional<std::size_t> pick(const PickRequest& request, Prng& prng) const;

    [[nodiscard]] const ListRef& list() const {
        return list_;
    }
    // Requires: `index` was picked from this table.
    [[nodiscard]] const CallCount& calls(std::size_t index) const {
        return counts_.at(address_of(index));
    }

private:
    struct Candidates {
        std::vector<std::size_t> indexes;
        std::vector<std::uint64_t> weight_sums;  // of all up to and with this one
    };

    [[nodiscard]] std::string address_of(std::size_t index) const;
    void add(Candidates& candidates, std::size_t index) const;
    [[nodiscard]] std::size_t weighted(const Candidates& from, Prng& prng) const;
    [[nodiscard]] std::size_t less_busy(const Candidates& from, Prng& prng) const;
    [[nodiscard]] std::size_t highest_score(const Candidates& from, std::string_view key) const;

    ListRef list_;
    Candidates near_;
    Candidates all_;
    std::map<std::string, CallCount> counts_;
    std::vector<std::atomic<std::uint32_t>*> count_of_;  // by index; null: not usable
    std::vector<std::uint64_t> hash_of_;                 // of the address, by index
};

}  // namespace muster::sdk_core
