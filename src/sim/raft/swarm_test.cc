#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "sim/raft/hostile_run.h"

namespace muster::raft::swarm {
namespace {

struct Seeds {
    std::uint64_t first = 1;
    std::uint64_t last = 110;
    std::uint64_t twice_every = 1;  // so many are run again for their trace
};

// MUSTER_RAFT_SEEDS="1-10000" runs these seeds instead of the few of every day.
Seeds seeds() {
    const char* wanted = std::getenv("MUSTER_RAFT_SEEDS");
    if (wanted == nullptr) {
        return {};
    }
    const std::string text = wanted;
    const auto dash = text.find('-');
    const std::uint64_t first = std::stoull(text.substr(0, dash));
    return {.first = first,
            .last = dash == std::string::npos ? first : std::stoull(text.substr(dash + 1)),
            .twice_every = 50};
}

volatile std::sig_atomic_t running_seed = 0;

// A failed CHECK ends the process: which seed it was must not be lost.
void say_seed(int /*signal*/) {
    std::fprintf(stderr, "aborted in seed %ld\n", static_cast<long>(running_seed));
}

TEST(RaftSwarm, SurvivesEveryHostileRunAndLeavesTheSameTraceTwice) {
    const auto [first, last, twice_every] = seeds();
    std::signal(SIGABRT, say_seed);
    Outcome sum;
    for (std::uint64_t seed = first; seed <= last; ++seed) {
        running_seed = static_cast<std::sig_atomic_t>(seed);
        const Outcome outcome = run_hostile({.seed = seed});
        EXPECT_EQ(outcome.violation, std::nullopt) << "seed " << seed;
        if (seed % twice_every == 0) {
            EXPECT_EQ(run_hostile({.seed = seed}).trace_hash, outcome.trace_hash)
                << "seed " << seed;
        }
        sum.agreed += outcome.agreed;
        sum.acknowledged += outcome.acknowledged;
        sum.reads += outcome.reads;
        sum.reigns += outcome.reigns;
        sum.crashes += outcome.crashes;
        sum.changes += outcome.changes;
        sum.losses += outcome.losses;
        sum.wipes += outcome.wipes;
        sum.rots += outcome.rots;
    }
    std::printf(
        "seeds %llu-%llu: %zu commands agreed, %zu acknowledged, %zu reads, %zu reigns, "
        "%zu crashes, %zu changes, %zu starts in doubt, %zu lost folders, "
        "%zu flipped bits\n",
        static_cast<unsigned long long>(first), static_cast<unsigned long long>(last), sum.agreed,
        sum.acknowledged, sum.reads, sum.reigns, sum.crashes, sum.changes, sum.losses, sum.wipes,
        sum.rots);
}

}  // namespace
}  // namespace muster::raft::swarm
