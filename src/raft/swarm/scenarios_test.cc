#include <gtest/gtest.h>

#include "raft/swarm/cluster.h"

namespace muster::raft::swarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

ClusterOptions three() {
    return {.hosts = 3, .voters = 3, .seed = 7, .node = small_bounds()};
}

TEST(RaftScenario, ElectsALeaderAndAgrees) {
    Cluster cluster(three());
    ASSERT_TRUE(cluster.run_until([&] { return cluster.leader().has_value(); }, seconds(3)));
    for (int i = 0; i < 200; ++i) {
        const auto ticket = cluster.propose(*cluster.leader());
        ASSERT_TRUE(
            cluster.run_until([&] { return cluster.answer(ticket) != nullptr; }, seconds(1)));
        EXPECT_TRUE(cluster.answer(ticket)->good) << to_string(cluster.answer(ticket)->why);
    }
    const auto read = cluster.read(*cluster.leader());
    ASSERT_TRUE(cluster.run_until([&] { return cluster.answer(read) != nullptr; }, seconds(1)));
    EXPECT_TRUE(cluster.answer(read)->good);
    EXPECT_TRUE(cluster.run_until([&] { return cluster.converged(); }, seconds(1)));
    EXPECT_EQ(cluster.oracle().complaint(), std::nullopt);
    EXPECT_EQ(cluster.oracle().reigns(), 1U);
}

TEST(RaftScenario, GoesOnWithoutItsLeaderAndTakesItBack) {
    Cluster cluster(three());
    ASSERT_TRUE(cluster.run_until([&] { return cluster.leader().has_value(); }, seconds(3)));
    const std::size_t first = *cluster.leader();
    cluster.crash(first);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.leader().has_value(); }, seconds(2)));
    for (int i = 0; i < 300; ++i) {
        (void)cluster.propose(*cluster.leader());
        cluster.run_for(milliseconds(5));
    }
    cluster.start(first);
    EXPECT_TRUE(cluster.run_until([&] { return cluster.converged(); }, seconds(3)));
    EXPECT_EQ(cluster.oracle().complaint(), std::nullopt);
    EXPECT_GT(cluster.oracle().acknowledged(), 250U);
}

}  // namespace
}  // namespace muster::raft::swarm
