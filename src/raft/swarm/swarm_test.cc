#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "raft/swarm/hostile_run.h"

namespace muster::raft::swarm {
namespace {

// MUSTER_RAFT_SEEDS="1-10000" runs these seeds instead of the few of every day.
std::pair<std::uint64_t, std::uint64_t> seeds() {
    const char* wanted = std::getenv("MUSTER_RAFT_SEEDS");
    if (wanted == nullptr) {
        return {1, 200};
    }
    const std::string text = wanted;
    const auto dash = text.find('-');
    const std::uint64_t first = std::stoull(text.substr(0, dash));
    return {first, dash == std::string::npos ? first : std::stoull(text.substr(dash + 1))};
}

TEST(RaftSwarm, SurvivesEveryHostileRun) {
    const auto [first, last] = seeds();
    Outcome sum;
    for (std::uint64_t seed = first; seed <= last; ++seed) {
        const Outcome outcome = run_hostile({.seed = seed});
        EXPECT_EQ(outcome.violation, std::nullopt) << "seed " << seed;
        sum.agreed += outcome.agreed;
        sum.acknowledged += outcome.acknowledged;
        sum.reads += outcome.reads;
        sum.reigns += outcome.reigns;
        sum.crashes += outcome.crashes;
        sum.changes += outcome.changes;
        sum.losses += outcome.losses;
    }
    std::printf(
        "seeds %llu-%llu: %zu commands agreed, %zu acknowledged, %zu reads, %zu reigns, "
        "%zu crashes, %zu changes, %zu starts in doubt\n",
        static_cast<unsigned long long>(first), static_cast<unsigned long long>(last), sum.agreed,
        sum.acknowledged, sum.reads, sum.reigns, sum.crashes, sum.changes, sum.losses);
}

TEST(RaftSwarm, LeavesTheSameTraceTwice) {
    for (const std::uint64_t seed : {1, 2, 3, 4, 5}) {
        const Outcome once = run_hostile({.seed = seed, .hostile_time = std::chrono::seconds(20)});
        const Outcome again = run_hostile({.seed = seed, .hostile_time = std::chrono::seconds(20)});
        EXPECT_EQ(once.trace_hash, again.trace_hash) << "seed " << seed;
    }
}

}  // namespace
}  // namespace muster::raft::swarm
