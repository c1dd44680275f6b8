#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/load/latencies.h"
#include "apps/muster/bench/outage.h"
#include "apps/muster/bench/spreading_changes.h"
#include "base/hash.h"
#include "base/time.h"

namespace muster::cli::bench {

// What subscribers with threads of their own are shown of services with so many instances each,
// which are there all the time and say their states by number. Any thread.
class SteadyWitness {
public:
    struct Size {
        std::uint64_t services = 1;
        std::uint64_t instances = 1;  // of each
        std::uint64_t subscribers = 1;
    };
    explicit SteadyWitness(const Size& size);

    // The instance says this state from now on, due then. Requires: one above its last; the first
    // is 1 and no change.
    void said(std::uint32_t service, std::uint32_t instance, std::uint32_t state, Duration due);

    // Outages are looked for from now on. Requires: all are shown what was said.
    void begin(Duration at);

    // A list of the service: the state of each instance (zero: not in it), and the digest of
    // whatever else is in it.
    struct List {
        std::span<const std::uint32_t> states;
        SetDigest strangers;
    };
    void shown(std::uint64_t subscriber, std::uint32_t service, const List& list, Duration at);

    // Of all subscribers and instances, how many were shown at all.
    [[nodiscard]] std::uint64_t reached() const;
    // Changes that did not reach every subscriber yet, and all there were.
    [[nodiscard]] std::uint64_t open() const;
    [[nodiscard]] std::uint64_t begun() const;

    struct Verdict {
        load::Latencies to_each;
        load::Latencies to_last;
        std::uint64_t lists = 0;
        std::uint64_t false_removals = 0;  // instances that a list lost
        std::uint64_t backward = 0;        // instances in an older state than before
        // The longest time of each subscriber in which no list told it a newer state.
        load::Latencies without_news;
        // The longest that each subscriber was behind with any instance.
        load::Latencies behind;
        // From the end of the longest outage until all were shown what had been said by then; none:
        // some never were.
        std::optional<Duration> to_equal;
    };
    [[nodiscard]] Verdict verdict() const;

    // What each subscriber is shown at present, against what was said last.
    struct Views {
        SetDigest said;
        std::vector<std::uint64_t> others;  // subscribers that are shown something else
        std::string difference;             // the first, in words
    };
    [[nodiscard]] Views views() const;

private:
    struct Seen {
        std::uint32_t newest = 0;  // state
        std::uint32_t now = 0;     // zero: not there
    };
    struct News {
        Duration last{};
        Duration longest{};
        Duration behind{};
    };

    [[nodiscard]] std::size_t item(std::uint32_t service, std::uint32_t instance) const {
        return std::size_t{service} * size_.instances + instance;
    }
    bool see(Seen& seen, std::size_t item, std::uint32_t state, Duration at);
    [[nodiscard]] static SetDigest element(std::size_t item, std::uint32_t state);
    [[nodiscard]] std::string difference_of(std::uint64_t subscriber) const;

    mutable std::mutex mutex_;
    Size size_;
    std::vector<std::uint32_t> said_;   // states, by service and instance
    std::vector<Seen> seen_;            // by subscriber, service and instance
    std::vector<SetDigest> strangers_;  // by subscriber and service
    std::vector<News> news_;            // by subscriber
    SpreadingChanges changes_;
    std::uint64_t reached_ = 0;
    News* hearing_ = nullptr;  // of whom it is that is shown a list
    std::optional<Outage> outage_;
    Verdict verdict_;
};

}  // namespace muster::cli::bench
