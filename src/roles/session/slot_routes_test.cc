#include "roles/session/slot_routes.h"

#include <gtest/gtest.h>

namespace muster::session {
namespace {

using msg::LinkEvent;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr MonoTime kStart{seconds(1000)};
const NodeId kLeader("d1");
const NodeId kSecond("d2");
const NodeId kThird("d3");

class SlotRoutesTest : public testing::Test {
protected:
    SlotRoutesTest() {
        table_.epoch = Epoch(1);
        table_.slots = {{.leader = kLeader, .followers = {kSecond, kThird}, .epoch = Epoch(1)},
                        {.leader = kSecond, .followers = {kThird}, .epoch = Epoch(1)}};
        (void)routes_.adopt(table_, kStart);
    }
    [[nodiscard]] Route first_after(Duration time) {
        (void)routes_.reconsider(kStart + time);
        return *routes_.find(SlotId(0));
    }

    SlotTable table_;
    SlotRoutes routes_{seconds(1)};
};

TEST_F(SlotRoutesTest, GoesToTheLeaders) {
    EXPECT_EQ(*routes_.find(SlotId(0)), (Route{.node = kLeader, .epoch = Epoch(1)}));
    EXPECT_EQ(*routes_.find(SlotId(1)), (Route{.node = kSecond, .epoch = Epoch(1)}));
    EXPECT_EQ(routes_.find(SlotId(2)), nullptr);
    EXPECT_TRUE(routes_.reconsider(kStart + seconds(60)).empty());
    EXPECT_TRUE(routes_.missed().empty());
}

TEST_F(SlotRoutesTest, ALeaderThatDoesNotAnswerForTheePatienceIsStoodInFor) {
    routes_.asked(kLeader, kStart);
    routes_.asked(kLeader, kStart + milliseconds(900));
    EXPECT_EQ(first_after(milliseconds(999)).node, kLeader);
    const auto changes = routes_.reconsider(kStart + seconds(1));
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].slot, SlotId(0));
    EXPECT_EQ(changes[0].before.node, kLeader);
    EXPECT_EQ(changes[0].now, (Route{.node = kSecond, .epoch = Epoch(1), .acting = true}));
    EXPECT_EQ(routes_.missed(), std::set{kLeader});
    EXPECT_EQ(routes_.acting_count(), 1U);
    EXPECT_EQ(routes_.unserved_count(), 0U);
    EXPECT_FALSE(routes_.stale());
    routes_.heard(kLeader);
    EXPECT_TRUE(routes_.stale()) << "it may take its slots back";
    EXPECT_EQ(first_after(seconds(2)).node, kLeader);
    EXPECT_EQ(routes_.acting_count(), 0U);
}

TEST_F(SlotRoutesTest, ASilentLinkIsEnoughAtOnceAndAClosedOneAfterThePatience) {
    routes_.on_link(kLeader, LinkEvent::closed, kStart);
    EXPECT_EQ(first_after(milliseconds(999)).node, kLeader);
    EXPECT_EQ(first_after(seconds(1)).node, kSecond);
    routes_.on_link(kSecond, LinkEvent::silent, kStart + seconds(1));
    EXPECT_TRUE(routes_.stale());
    EXPECT_EQ(first_after(seconds(1)).node, kThird);
}

TEST_F(SlotRoutesTest, NobodyServesWhenNobodyCanBeReached) {
    for (const NodeId& node : {kLeader, kSecond, kThird}) {
        routes_.on_link(node, LinkEvent::silent, kStart);
    }
    EXPECT_EQ(first_after({}).node, NodeId{});
    EXPECT_EQ(routes_.unserved_count(), 2U);
    EXPECT_EQ(routes_.missed(), (std::set{kLeader, kSecond}));
    routes_.heard(kThird);
    EXPECT_TRUE(routes_.stale());
    EXPECT_EQ(first_after({}).node, kThird);
}

TEST_F(SlotRoutesTest, TheLeaderIsTakenAgainWhenItIsHeard) {
    routes_.on_link(kLeader, LinkEvent::silent, kStart);
    EXPECT_TRUE(first_after({}).acting);
    EXPECT_FALSE(routes_.stale());
    routes_.heard(kLeader);
    EXPECT_TRUE(routes_.stale());
    EXPECT_EQ(first_after({}), (Route{.node = kLeader, .epoch = Epoch(1)}));
}

TEST_F(SlotRoutesTest, ANewerTableDecidesAtOnceAndANewEpochIsServedAnew) {
    routes_.on_link(kLeader, LinkEvent::silent, kStart);
    table_.slots[0] = {.leader = kThird, .followers = {kSecond}, .epoch = Epoch(2)};
    auto changes = routes_.adopt(table_, kStart);
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].now, (Route{.node = kThird, .epoch = Epoch(2)}));
    table_.slots[0].epoch = Epoch(3);
    changes = routes_.adopt(table_, kStart);
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].before.epoch, Epoch(2));
    table_.slots[0].followers.clear();
    EXPECT_TRUE(routes_.adopt(table_, kStart).empty());
}

TEST_F(SlotRoutesTest, AFollowerThatWillNotActIsAskedAgainLater) {
    routes_.on_link(kLeader, LinkEvent::silent, kStart);
    routes_.will_not_act(kSecond, SlotId(0), kStart);
    EXPECT_EQ(first_after({}).node, kThird);
    routes_.will_not_act(kThird, SlotId(0), kStart);
    EXPECT_EQ(first_after(milliseconds(999)).node, NodeId{});
    EXPECT_EQ(first_after(seconds(1)).node, kSecond);
}

TEST_F(SlotRoutesTest, AnOwnPauseIsNobodysSilence) {
    routes_.asked(kLeader, kStart);
    routes_.on_link(kSecond, LinkEvent::closed, kStart);
    routes_.extend(seconds(20));
    EXPECT_TRUE(routes_.reconsider(kStart + seconds(20)).empty());
}

TEST_F(SlotRoutesTest, ASlotWithoutALeaderIsServedByNobody) {
    table_.slots[1] = {};
    (void)routes_.adopt(table_, kStart);
    EXPECT_EQ(routes_.find(SlotId(1))->node, NodeId{});
    EXPECT_TRUE(routes_.missed().empty());
}

}  // namespace
}  // namespace muster::session
