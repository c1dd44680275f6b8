#pragma once

#include <cstddef>

#include "effort.h"
#include "report.h"

namespace muster::bench {

// Publish to push received, one publisher, one subscriber, native and Java wire, against a bare
// two-hop relay in the same run.
void run_latency(Report& report, const Effort& effort);

// One change to so many connections of one process, in turns with a bare loop of write() over as
// many.
void run_fanout(Report& report, const Effort& effort, std::size_t connections);

// Batched native registrations over 50 connections, with the memory they take.
void run_registrations(Report& report, const Effort& effort);

// Start to ready, memory when idle, size of the program.
void run_start(Report& report, const Effort& effort);

}  // namespace muster::bench
