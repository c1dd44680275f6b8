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
#include "base/time.h"
#include "list.h"

namespace muster::sdk_core {

// Calls under way to one address; shared by the tables of later lists and by the calls themselves.
using CallCount = std::shared_ptr<std::atomic<std::uint32_t>>;

struct PickRequest {
    muster_policy policy = MUSTER_WEIGHTED_RANDOM;
    std::string_view key;    // consistent hash
    std::uint64_t turn = 0;  // round robin: grows by one with each pick
    bool any_zone = false;
    MonoTime now;
};

// When a list came.
struct PickTime {
    MonoTime mono;
    WallTime wall;
};

// What can be picked of one list: endpoints that are enabled, healthy and of a weight above zero;
// those of the own zone, and all. One that came back (muster restore) begins with a part of its
// weight, kPartMin of kWhole, which grows evenly to all of it. Immutable but for the counts; any
// thread.
class PickTable {
public:
    static constexpr std::uint64_t kWhole = 1000;
    static constexpr std::uint64_t kPartMin = 50;

    // `previous` (may be null) hands its counts on, and how far weights have grown.
    PickTable(ListRef list, std::string_view own_zone, const PickTable* previous,
              PickTime came = {});

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

    // Of a publication that came back. How long that is ago when the table is made is told by the
    // wall clocks of the registry and of this machine, and not less than what was seen of it here.
    struct Growing {
        std::int64_t since_ms = 0;  // by the registry, names this return
        Duration length{};
        Duration at_first{};
    };

    [[nodiscard]] const Growing* find(const RegistId& id) const;
    void note_growing(std::size_t index, const PickTable* previous);
    // Of its weight, now.
    [[nodiscard]] std::uint64_t part(std::size_t index, MonoTime now) const;
    [[nodiscard]] std::uint64_t weight(std::size_t index, MonoTime now) const;
    [[nodiscard]] bool passes_over(std::size_t index, MonoTime now, Prng& prng) const;
    [[nodiscard]] std::string address_of(std::size_t index) const;
    void add(Candidates& candidates, std::size_t index) const;
    [[nodiscard]] std::size_t in_turn(const Candidates& from, const PickRequest& request,
                                      Prng& prng) const;
    [[nodiscard]] std::size_t weighted(const Candidates& from, MonoTime now, Prng& prng) const;
    [[nodiscard]] std::size_t less_busy(const Candidates& from, MonoTime now, Prng& prng) const;
    [[nodiscard]] std::size_t highest_score(const Candidates& from,
                                            const PickRequest& request) const;

    ListRef list_;
    PickTime came_;
    std::map<RegistId, Growing> growing_;  // most often empty
    Candidates near_;
    Candidates all_;
    std::map<std::string, CallCount> counts_;
    std::vector<std::atomic<std::uint32_t>*> count_of_;  // by index; null: not usable
    std::vector<std::uint64_t> hash_of_;                 // of the address, by index
};

}  // namespace muster::sdk_core
