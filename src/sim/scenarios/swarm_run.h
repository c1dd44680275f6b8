#pragma once

#include <cstdint>
#include <string>

namespace muster::sim {

struct RunOptions {
    std::uint64_t seed = 1;
    bool cluster = false;  // of many nodes
    bool full = false;     // a cluster with all the nodes and clients there may be
    bool print_trace = false;
};

// How one run ended.
struct RunOutcome {
    bool passed = false;
    std::uint64_t hash = 0;  // of everything that happened
    std::uint64_t events = 0;
    std::size_t views = 0;  // lists shown to subscribers
    std::string swarm;      // what could happen
    std::string violation;  // empty when passed; else the invariant and a sentence
    std::string story;      // the last lines that matter
};

// One run of the world: the storm (safety phase), then healing and the bound for convergence, then
// a calm in which clients leave in every way and are judged by the clock, then rest.
[[nodiscard]] RunOutcome run_swarm(const RunOptions& options);

// The same run twice; fails also when the two differ.
[[nodiscard]] RunOutcome run_swarm_twice(const RunOptions& options);

}  // namespace muster::sim
