// Runs the simulator: one seed, told in full when it fails, or many, one line for each failure.
#include <cstdint>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "sim/scenarios/swarm_run.h"

#ifndef MUSTER_COMMIT
#define MUSTER_COMMIT "unknown"
#endif

namespace {

using muster::sim::RunOutcome;

// The command that repeats a run.
std::string again(std::uint64_t seed, bool cluster) {
    return fmt::format("./dev sim {}{}", cluster ? "--cluster " : "", seed);
}

int run_one(std::uint64_t seed, bool cluster, bool print_trace) {
    fmt::print("seed {} of commit {}\n", seed, MUSTER_COMMIT);
    const RunOutcome outcome = muster::sim::run_swarm_twice(
        {.seed = seed, .cluster = cluster, .print_trace = print_trace});
    fmt::print("swarm: {}\n", outcome.swarm);
    if (outcome.passed) {
        fmt::print("passed: {} events, {} lists shown, trace {:016x}\n", outcome.events,
                   outcome.views, outcome.hash);
        return 0;
    }
    fmt::print("{}\nFAILED: {}\nagain: {}\n", outcome.story, outcome.violation,
               again(seed, cluster));
    return 1;
}

int run_many(std::uint64_t from, std::uint64_t count, bool cluster) {
    std::uint64_t failed = 0;
    for (std::uint64_t seed = from; seed < from + count; ++seed) {
        const RunOutcome outcome = muster::sim::run_swarm_twice({.seed = seed, .cluster = cluster});
        if (!outcome.passed) {
            ++failed;
            fmt::print("seed {} of commit {}: {}; again: {}\n", seed, MUSTER_COMMIT,
                       outcome.violation, again(seed, cluster));
            std::fflush(stdout);
        }
    }
    fmt::print("{} passed, {} failed\n", count - failed, failed);
    return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Simulates a registry with its clients in virtual time and checks it.");
    std::uint64_t seed = 0;
    std::uint64_t from = 0;
    std::uint64_t seeds = 0;
    bool cluster = false;
    bool trace = false;
    auto* one = app.add_option("--seed,seed", seed, "the one run of this seed, told in full");
    app.add_flag("--trace", trace, "print everything that happens")->needs(one);
    app.add_flag("--cluster", cluster, "of many metas, data servers, sessions and clients");
    auto* first = app.add_option("--from", from, "first seed of many");
    auto* count = app.add_option("--seeds", seeds, "how many seeds");
    first->needs(count)->excludes(one);
    count->needs(first)->excludes(one);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    if (one->count() > 0) {
        return run_one(seed, cluster, trace);
    }
    if (seeds > 0) {
        return run_many(from, seeds, cluster);
    }
    fmt::print(stderr, "muster-sim: name a seed, or --from S --seeds N; see --help\n");
    return 2;
}
