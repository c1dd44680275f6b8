// Runs the simulator: one seed, told in full when it fails, or many, one line for each failure.
#include <cstdint>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "sim/deltas/delta_run.h"
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

// Returns whether it passed; a line is printed when not.
bool run_quietly(const RunOptions& run, bool once) {
    const RunOutcome outcome =
        once ? muster::sim::run_swarm(run) : muster::sim::run_swarm_twice(run);
    if (!outcome.passed) {
        fmt::print("seed {} of commit {}: {}; again: {}\n", run.seed, MUSTER_COMMIT,
                   outcome.violation, again(run));
        std::fflush(stdout);
    }
    return outcome.passed;
}

int run_all(const std::vector<RunOptions>& runs, bool once) {
    std::size_t failed = 0;
    for (const RunOptions& run : runs) {
        failed += run_quietly(run, once) ? 0 : 1;
    }
    fmt::print("{} passed, {} failed\n", runs.size() - failed, failed);
    return failed == 0 ? 0 : 1;
}

int run_many(RunOptions run, std::uint64_t from, std::uint64_t count, bool once) {
    std::vector<RunOptions> runs;
    for (run.seed = from; run.seed < from + count; ++run.seed) {
        runs.push_back(run);
    }
    return run_all(runs, once);
}

// "which seed ...": which is one of single, cluster, full. Nothing: it is no such line.
std::optional<RunOptions> found_seed(const std::string& line) {
    std::istringstream words(line);
    std::string which;
    RunOptions run;
    if (!(words >> which >> run.seed) ||
        (which != "single" && which != "cluster" && which != "full")) {
        return std::nullopt;
    }
    run.cluster = which == "cluster";
    run.full = which == "full";
    return run;
}

int run_found(const std::string& path) {
    std::ifstream file(path);
    std::vector<RunOptions> runs;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line.front() == '#') {
            continue;
        }
        const auto run = found_seed(line);
        if (!run) {
            fmt::print(stderr, "muster-sim: {}: \"{}\" is not \"single|cluster|full SEED ...\"\n",
                       path, line);
            return 2;
        }
        runs.push_back(*run);
    }
    if (runs.empty()) {
        fmt::print(stderr, "muster-sim: {} names no seeds, or cannot be read\n", path);
        return 2;
    }
    return run_all(runs, true);
}

// Prints one run; returns whether it passed.
bool run_deltas(std::uint64_t seed, muster::sim::DeltaOutcome& all) {
    const auto outcome = muster::sim::run_deltas(seed);
    all.add(outcome);
    if (!outcome.failure.empty()) {
        fmt::print("seed {} of commit {}: {}; again: ./dev sim --deltas {}\n", seed, MUSTER_COMMIT,
                   outcome.failure, seed);
        std::fflush(stdout);
    }
    return outcome.failure.empty();
}

int run_deltas(std::uint64_t from, std::uint64_t count) {
    muster::sim::DeltaOutcome all;
    std::uint64_t failed = 0;
    for (std::uint64_t seed = from; seed < from + count; ++seed) {
        failed += run_deltas(seed, all) ? 0 : 1;
    }
    fmt::print("{}\n", all.text());
    const std::string lacking = all.lacking();
    if (!lacking.empty()) {
        fmt::print("FAILED: these runs prove little: {}\n", lacking);
    }
    fmt::print("{} passed, {} failed\n", count - failed, failed);
    return failed == 0 && lacking.empty() ? 0 : 1;
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
    bool deltas = false;
    app.add_flag("--deltas", deltas, "what subscribers are told by differences, over bytes");
    std::string found;
    app.add_option("--found", found, "run once each seed that this file names")->excludes(one);
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
    if (deltas && (run.cluster || run.full || run.print_trace || once || !found.empty())) {
        fmt::print(stderr, "muster-sim: --deltas goes with a seed, or --from S --seeds N, alone\n");
        return 2;
    }
    if (deltas && one->count() + seeds > 0) {
        return one->count() > 0 ? run_deltas(run.seed, 1) : run_deltas(from, seeds);
    }
    if (one->count() > 0) {
        return run_one(run);
    }
    if (!found.empty()) {
        return run_found(found);
    }
    if (seeds > 0) {
        return run_many(run, from, seeds, once);
    }
    fmt::print(stderr, "muster-sim: name a seed, or --from S --seeds N; see --help\n");
    return 2;
}
