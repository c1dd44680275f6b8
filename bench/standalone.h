#pragma once

#include <cstddef>

#include "report.h"

namespace muster::bench {

// How much work: all of it, or just enough to see that it still runs.
struct Effort {
    std::size_t latency_rounds = 20'000;
    std::size_t fanout_connections = 5000;
    std::size_t fanout_rounds = 40;
    std::size_t publications = 100'000;
    std::size_t starts = 20;
    bool judge = true;  // report bounds

    [[nodiscard]] static Effort tiny() {
        return {.latency_rounds = 50,
                .fanout_connections = 20,
                .fanout_rounds = 3,
                .publications = 2000,
                .starts = 1,
                .judge = false};
    }
};

// Publish to push received, one publisher, one subscriber, native and Java wire, against a bare
// two-hop relay in the same run.
void run_latency(Report& report, const Effort& effort);

// One change to many connections of one process, against a bare loop of write().
void run_fanout(Report& report, const Effort& effort);

// Batched native registrations over 50 connections, with the memory they take.
void run_registrations(Report& report, const Effort& effort);

// Start to ready, memory when idle, size of the program.
void run_start(Report& report, const Effort& effort);

}  // namespace muster::bench
