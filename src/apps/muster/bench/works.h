#pragma once

#include "apps/muster/bench/run.h"
#include "apps/muster/bench/sizes.h"
#include "base/result.h"

namespace muster::cli::bench {

// Each does one work and puts its figures into the run's report, also those there are when it is
// stopped or fails. None takes back what it registered: Run::clean() does. Errors: those of
// Run::await().

// Publishers change what they publish at a steady pace; how long until each subscriber, and the
// last one, was shown it. Times run from when a change was due, so that a server that falls behind
// cannot hide it.
[[nodiscard]] Result<void> run_propagation(Run& run, const PropagationSize& size);

// Registers many, asks for each service, and takes them back, each as fast as it is answered, while
// subscribers of every tenth service are told.
[[nodiscard]] Result<void> run_registrations(Run& run, const RegistrationsSize& size);

// The four things clients do (register, ask for a service, change until it is told, deregister),
// each as fast as it is answered, then at half the rate found: times at the peak are those of
// queues.
[[nodiscard]] Result<void> run_operations(Run& run, const OperationsSize& size);

// One change after the other, with more and more subscribers.
[[nodiscard]] Result<void> run_fanout(Run& run, const FanoutSize& size);

// Adds connections, then publications, then subscriptions, each in steps, and reads after each step
// how much memory the servers take. Errors: unavailable when they do not tell it.
[[nodiscard]] Result<void> run_capacity(Run& run, const CapacitySize& size);

// Closes a share of the clients' connections at once without a word; how long until the
// subscribers are shown lists without them, and whether anybody else went.
[[nodiscard]] Result<void> run_disconnect(Run& run, const DisconnectSize& size);

// Restarts all instances of a service, some at a time: each leaves, closes, and comes back under
// another id; what that costs each subscriber in bytes.
[[nodiscard]] Result<void> run_rolling(Run& run, const RollingSize& size);

// All clients connect, register and subscribe at once, as when a server or a network comes back.
[[nodiscard]] Result<void> run_storm(Run& run, const StormSize& size);

// Clients of the SDK, with its reconnecting and all, publish, change and subscribe, while the user
// restarts, pauses or cuts off servers: how long changes took meanwhile, and what went wrong.
[[nodiscard]] Result<void> run_steady(Run& run, const SteadySize& size);

}  // namespace muster::cli::bench
