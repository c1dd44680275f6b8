#include "roles/session/balancer.h"

#include <set>

#include <gtest/gtest.h>

namespace muster::session {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const NodeId kSelf("session-1");
const NodeId kOther("session-2");

class BalancerTest : public testing::Test {
protected:
    BalancerTest() {
        balancer.disturbed(now);
    }
    void settle() {
        now += seconds(10);
        EXPECT_TRUE(balancer.due(false, now));
    }
    std::vector<Balancer::Guest> guests(std::size_t native, std::size_t others) const {
        std::vector<Balancer::Guest> made;
        for (std::size_t i = 1; i <= native + others; ++i) {
            made.push_back({env::ConnId(i), i <= native, MonoTime{}});
        }
        return made;
    }
    std::size_t plan(std::uint64_t here, std::uint64_t there) {
        return balancer.plan(here, {{kSelf, here, 0}, {kOther, there, 0}}, now);
    }
    Balancer::Step choose(std::size_t away, const std::vector<Balancer::Guest>& from) {
        return balancer.choose(away, from, [](env::ConnId) { return true; }, now);
    }

    MonoTime now{seconds(1000)};
    Balancer balancer{{.grace = seconds(10)}, kSelf, Prng(7)};
};

TEST_F(BalancerTest, WaitsUntilNothingHappenedForAGrace) {
    now += milliseconds(9'999);
    EXPECT_FALSE(balancer.due(false, now));
    balancer.disturbed(now);
    now += seconds(9);
    EXPECT_FALSE(balancer.due(false, now));
    now += seconds(1);
    EXPECT_TRUE(balancer.due(false, now));
}

TEST_F(BalancerTest, MovesNobodyWhileThereIsTrouble) {
    now += seconds(20);
    EXPECT_FALSE(balancer.due(true, now));
    now += seconds(1);
    EXPECT_TRUE(balancer.due(false, now));
}

TEST_F(BalancerTest, NeverBeginsWhenItIsOff) {
    Balancer off({.enabled = false}, kSelf, Prng(7));
    off.disturbed(now);
    EXPECT_FALSE(off.due(false, now + std::chrono::hours(1)));
}

TEST_F(BalancerTest, TakesOneStepInASecond) {
    settle();
    EXPECT_FALSE(balancer.due(false, now + milliseconds(999)));
    EXPECT_TRUE(balancer.due(false, now + seconds(1)));
}

TEST_F(BalancerTest, MovesAFewPercentAtATime) {
    settle();
    EXPECT_EQ(plan(1000, 0), 20U);
    EXPECT_TRUE(balancer.moving());
    now += seconds(20);  // who left is on no way any more
    EXPECT_EQ(plan(20, 0), 1U) << "one at least";
    now += seconds(20);
    EXPECT_EQ(plan(10, 10), 0U);
    EXPECT_FALSE(balancer.moving());
}

TEST_F(BalancerTest, AsksThoseThatFollowHintsAndClosesTheOthers) {
    settle();
    (void)plan(40, 0);
    const auto step = choose(20, guests(10, 10));
    EXPECT_EQ(step.ask.size(), 10U);
    EXPECT_EQ(step.close.size(), 10U);
    for (const auto& [conn, to] : step.ask) {
        EXPECT_EQ(to, kOther);
        EXPECT_EQ(balancer.journey(conn), seconds(1)) << "it is there before it leaves";
    }
}

TEST_F(BalancerTest, ClosesNobodyWhoWaitsForAnAnswer) {
    settle();
    (void)plan(40, 0);
    const auto step =
        balancer.choose(10, guests(0, 20), [](env::ConnId conn) { return conn.raw() > 15; }, now);
    EXPECT_EQ(step.close.size(), 5U);
    EXPECT_EQ(balancer.journey(env::ConnId(1)), Duration{});
    EXPECT_EQ(balancer.journey(step.close.front()), seconds(15)) << "it has to come back first";
}

TEST_F(BalancerTest, LeavesThoseThatCameLately) {
    settle();
    (void)plan(40, 0);
    auto lately = guests(20, 20);
    for (auto& guest : lately) {
        guest.since = now - seconds(9);
    }
    const auto step = choose(20, lately);
    EXPECT_TRUE(step.ask.empty());
    EXPECT_TRUE(step.close.empty());
}

TEST_F(BalancerTest, CountsThoseItAskedAsGoneUntilTheyDidNotGo) {
    settle();
    ASSERT_EQ(plan(40, 28), 1U) << "above the share of 34 by more than 5";
    const auto step = choose(4, guests(40, 0));
    ASSERT_EQ(step.ask.size(), 4U);
    now += seconds(1);
    EXPECT_TRUE(balancer.due(false, now));
    EXPECT_EQ(plan(40, 28), 0U) << "36 are not many too many";
    const auto asked = step.ask.front().first;
    now += seconds(10);
    EXPECT_TRUE(balancer.due(false, now));
    EXPECT_EQ(balancer.journey(asked), Duration{}) << "it stays";
    EXPECT_EQ(plan(40, 28), 1U);
}

TEST_F(BalancerTest, FillsNoRoomTwiceOver) {
    settle();
    const std::vector<msg::ClientLoad> loads{
        {kSelf, 90, 0}, {NodeId("session-2"), 20, 0}, {NodeId("session-3"), 10, 0}};
    EXPECT_EQ(balancer.plan(90, loads, now), 1U);
    const auto step = choose(50, guests(90, 0));
    std::map<NodeId, int> sent;
    for (const auto& [conn, to] : step.ask) {
        ++sent[to];
    }
    EXPECT_EQ(sent[NodeId("session-2")], 20);
    EXPECT_EQ(sent[NodeId("session-3")], 30);
}

TEST_F(BalancerTest, TakesClientsOnTheirWayForSomebodys) {
    settle();
    ASSERT_EQ(plan(100, 0), 2U);
    now += seconds(1);
    ASSERT_TRUE(balancer.due(false, now));
    // Half of them have left and are counted nowhere yet.
    EXPECT_EQ(balancer.plan(54, {{kSelf, 54, 0}, {kOther, 0, 0}}, now), 1U);
    EXPECT_EQ(balancer.plan(52, {{kSelf, 52, 0}, {kOther, 0, 0}}, now), 0U)
        << "it is near its share of 50, not far above one of 26";
}

TEST_F(BalancerTest, DrawsTheSameOnesFromTheSameSeed) {
    const auto drawn = [this](std::uint64_t seed) {
        Balancer one({.grace = seconds(10)}, kSelf, Prng(seed));
        one.disturbed(now);
        (void)one.plan(100, {{kSelf, 100, 0}, {kOther, 0, 0}}, now + seconds(20));
        std::set<env::ConnId> conns;
        const auto idle = [](env::ConnId) { return true; };
        for (const auto& conn : one.choose(10, guests(0, 100), idle, now + seconds(20)).close) {
            conns.insert(conn);
        }
        return conns;
    };
    EXPECT_EQ(drawn(1).size(), 10U);
    EXPECT_EQ(drawn(1), drawn(1));
    EXPECT_NE(drawn(1), drawn(2));
}

}  // namespace
}  // namespace muster::session
