#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "apps/load/latencies.h"
#include "apps/muster/bench/spreading_changes.h"
#include "base/time.h"

namespace muster::cli::bench {

// What subscribers with threads of their own are shown of services with one instance each, which is
// there all the time and says its state by number. Any thread.
class SteadyWitness {
public:
    SteadyWitness(std::uint64_t services, std::uint64_t subscribers);

    // The service's instance says this state from now on, due then. Requires: one above the last;
    // the first is 1 and no change.
    void said(std::uint32_t service, std::uint32_t state, Duration due);

    // A list with the instance in that state; zero: without it.
    void shown(std::uint64_t subscriber, std::uint32_t service, std::uint32_t state, Duration at);

    // Of all subscribers and services, how many were shown the instance at all.
    [[nodiscard]] std::uint64_t reached() const;
    // Changes that did not reach every subscriber yet, and all there were.
    [[nodiscard]] std::uint64_t open() const;
    [[nodiscard]] std::uint64_t begun() const;

    struct Verdict {
        load::Latencies to_each;
        load::Latencies to_last;
        std::uint64_t lists = 0;
        std::uint64_t false_removals = 0;  // lists that lost an instance that they showed
        std::uint64_t backward = 0;        // lists with an older state than before
    };
    [[nodiscard]] Verdict verdict() const;

private:
    struct Seen {
        std::uint32_t newest = 0;  // state
        bool there = false;
    };

    mutable std::mutex mutex_;
    std::uint64_t services_;
    std::vector<Seen> seen_;  // by subscriber and service
    SpreadingChanges changes_;
    std::uint64_t reached_ = 0;
    Verdict verdict_;
};

}  // namespace muster::cli::bench
