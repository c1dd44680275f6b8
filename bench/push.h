#pragma once

#include "effort.h"
#include "report.h"

// What being told costs: time, bytes and memory. Fan-out to many connections is in standalone.h.
namespace muster::bench {

// As run_latency(), native: with all roles in one process and with each in one of its own.
void run_push_latency(Report& report, const Effort& effort);

// One change to 2,000 connections that have 100 subscriptions of its service each; then to each of
// 100 services that these connections watch.
void run_many_subscriptions(Report& report, const Effort& effort);

// Bytes to one native subscriber when one instance in a list of 10,000 changes, and when one in
// twenty does.
void run_long_list(Report& report, const Effort& effort);

// Registrations in batches, each publication held by its leader and by a follower in another
// process: the rate ends when the follower has all.
void run_followed_registrations(Report& report, const Effort& effort);

// Of one publication, subscription and connection.
void run_memory(Report& report, const Effort& effort);

// Publications and twice as many subscriptions, a quarter at a time, in five processes.
void run_million(Report& report, const Effort& effort);

// What one change costs all nodes of a simulated cluster, in instructions of user space, among few
// publications and among many. Needs valgrind; says so when there is none.
void run_instructions(Report& report, const Effort& effort);

}  // namespace muster::bench
