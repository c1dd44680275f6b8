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

using muster::sim::RunOptions;

// The command that repeats a run.
std::string again(const RunOptions& run) {
    return fmt::format("./dev sim {}{}",
                       run.full      ? "--full "
                       : run.cluster ? "--cluster "
                                     : "",
                       run.seed);
}

int run_one(const RunOptions& run) {
    fmt::print("seed {} of commit {}\n", run.seed, MUSTER_COMMIT);
    const RunOutcome outcome = muster::sim::run_swarm_twice(run);
    fmt::print("swarm: {}\n", outcome.swarm);
    if (outcome.passed) {
        fmt::print("passed: {} events, {} lists shown, trace {:016x}\n", outcome.events,
                   outcome.views, outcome.hash);
        return 0;
    }
    fmt::print("{}\nFAILED: {}\nagain: {}\n", outcome.story, outcome.violation, again(run));
    return 1;
}

int run_many(RunOptions run, std::uint64_t from, std::uint64_t count, bool once) {
    std::uint64_t failed = 0;
    for (run.seed = from; run.seed < from + count; ++run.seed) {
        const RunOutcome outcome =
            once ? muster::sim::run_swarm(run) : muster::sim::run_swarm_twice(run);
        if (!outcome.passed) {
            ++failed;
            fmt::print("seed {} of commit {}: {}; again: {}\n", run.seed, MUSTER_COMMIT,
                       outcome.violation, again(run));
            std::fflush(stdout);
        }
    }
    fmt::print("{} passed, {} failed\n", count - failed, failed);
    return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Simulates a registry with its clients in virtual time and checks it.");
    RunOptions run;
    std::uint64_t from = 0;
    std::uint64_t seeds = 0;
    bool once = false;
    auto* one = app.add_option("--seed,seed", run.seed, "the one run of this seed, told in full");
    app.add_flag("--trace", run.print_trace, "print everything that happens")->needs(one);
    app.add_flag("--cluster", run.cluster, "of many metas, data servers, sessions and clients");
    app.add_flag("--full", run.full, "of 3 metas, 4 data servers, 3 sessions and 50 clients");
    auto* first = app.add_option("--from", from, "first seed of many");
    auto* count = app.add_option("--seeds", seeds, "how many seeds");
    app.add_flag("--once", once, "do not compare each run with a second one of the same seed")
        ->needs(count);
    first->needs(count)->excludes(one);
    count->needs(first)->excludes(one);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    if (one->count() > 0) {
        return run_one(run);
    }
    if (seeds > 0) {
        return run_many(run, from, seeds, once);
    }
    fmt::print(stderr, "muster-sim: name a seed, or --from S --seeds N; see --help\n");
    return 2;
}
