#include "roles/data/test_promotion.h"

// Data servers that act in the leader's stead for the sessions of their side of a cut.
namespace muster::data {
namespace {

using namespace std::chrono_literals;
using test::Ids;
using test::kOrders;
using test::Promotion;
using test::TestSession;

class Acting : public Promotion {
protected:
    // s2 and d2 on one side, the rest on the other.
    void split() {
        for (const char* a : {"d2", "s2"}) {
            for (const char* b : {"d1", "d3", "s1"}) {
                world.cut(a, b);
            }
        }
        world.pass(1500ms);
        s2.acting_node = NodeId("d2");
        s2.want(kOrders, true);
    }
    void unite() {
        world.heal();
        world.pass(500ms);
        s2.acting_node = {};
        s2.want(kOrders);
        world.pass(2s);
    }
};

TEST_F(Acting, IsRefusedWhileTheLeaderIsHeard) {
    s2.acting_node = NodeId("d2");
    s2.publish("b", kOrders, true);
    EXPECT_EQ(s2.acked["not_leader"], 1U);
    EXPECT_EQ(world["d2"].status().slots_acting, 0U);
}

TEST_F(Acting, ServesThoseWhoReachNobodyElse) {
    split();
    s2.publish("b", kOrders, true);
    EXPECT_EQ(s2.acked["ok"], 1U);
    EXPECT_EQ(s2.copies["orders"].ids, (Ids{"a", "b"}));
    EXPECT_EQ(world["d2"].status().slots_acting, 1U);
    world.pass(500ms);
    EXPECT_FALSE(world.reported[NodeId("d2")][SlotId(0)].synced);
}

// What a session declared before others told it more is not answered when it comes back to act.
TEST_F(Acting, AnswersNothingThatItRefusedWhenItWasDeclared) {
    TestSession& s3 = world.session("s3");
    world.tell_table();
    s3.acting_node = NodeId("d2");
    s3.want(kOrders, true);
    EXPECT_TRUE(s3.copies["orders"].ids.empty()) << "the leader is heard";
    s3.acting_node = {};
    s3.want(kOrders);
    lose_entries();
    s1.publish("tail", kOrders);
    lose_nothing();
    ASSERT_EQ(s3.copies["orders"].ids, (Ids{"a", "tail"}));
    for (const char* a : {"d2", "s3"}) {
        for (const char* b : {"d1", "d3", "s1"}) {
            world.cut(a, b);
        }
    }
    world.pass(1500ms);
    s3.acting_node = NodeId("d2");
    s3.publish("b", kOrders, true);
    ASSERT_EQ(world["d2"].status().slots_acting, 1U);
    EXPECT_EQ(s3.copies["orders"].ids, (Ids{"a", "tail"}));
    s3.want(kOrders, true);
    EXPECT_EQ(s3.copies["orders"].ids, (Ids{"a", "b", "tail"}));
}

TEST_F(Acting, UnitesBothSidesAfterwardsAndNeitherLosesTheOthers) {
    split();
    s2.publish("b", kOrders, true);
    s1.publish("c", kOrders);
    EXPECT_EQ(s1.copies["orders"].ids, (Ids{"a", "c"}));
    world.pass(30s);
    EXPECT_EQ(s2.copies["orders"].ids, (Ids{"a", "b"})) << "the other side has not left";
    unite();
    EXPECT_EQ(s1.copies["orders"].ids, (Ids{"a", "b", "c"}));
    EXPECT_EQ(s2.copies["orders"].ids, (Ids{"a", "b", "c"}));
    EXPECT_EQ(s1.copies["orders"].version, s2.copies["orders"].version);
    EXPECT_EQ(world["d2"].status().slots_acting, 0U);
    EXPECT_EQ(world.copy("d2").digest, world.copy("d1").digest);
    EXPECT_EQ(world.copy("d2").held, world.copy("d1").held);
}

TEST_F(Acting, BringsBackNothingThatLeftMeanwhile) {
    s2.publish("b", kOrders);
    split();
    s2.withdraw("b", true);
    s1.withdraw("a");
    EXPECT_EQ(s2.copies["orders"].ids, Ids{"a"});
    unite();
    EXPECT_EQ(s1.copies["orders"].ids, Ids{});
    EXPECT_EQ(s2.copies["orders"].ids, Ids{});
}

TEST_F(Acting, TellsTheLeaderWhatLeftWhenTheSessionThatKnewItIsGoneToo) {
    s2.publish("b", kOrders);
    split();
    s2.withdraw("b", true);
    EXPECT_EQ(s1.copies["orders"].ids, (Ids{"a", "b"}));
    world.heal();
    world.pass(2s, {"s1"});
    EXPECT_EQ(s1.copies["orders"].ids, Ids{"a"});
    EXPECT_EQ(world.copy("d2").digest, world.copy("d1").digest);
    EXPECT_EQ(world.copy("d3").digest, world.copy("d1").digest);
}

TEST_F(Acting, TellsTheLeaderAllThatLeftHoweverMuch) {
    constexpr int kMany = 2 * static_cast<int>(msg::FollowSlot::kWithdrawnMax) + 500;
    for (int i = 0; i < kMany; ++i) {
        s2.publish("p" + std::to_string(i), kOrders);
    }
    split();
    for (int i = 0; i < kMany; ++i) {
        s2.withdraw("p" + std::to_string(i), true);
    }
    EXPECT_EQ(world.copy("d1").publications, kMany + 1U);
    world.heal();
    world.pass(2s, {"s1"});
    EXPECT_EQ(world.copy("d1").publications, 1U);
    EXPECT_EQ(world.copy("d2").digest, world.copy("d1").digest);
}

TEST_F(Acting, LetsTheLeaderGoAboveWhatItGaveWhoeverWasToldIsGone) {
    split();
    for (const char* id : {"b", "c", "d", "e"}) {
        s2.publish(id, kOrders, true);
    }
    const Version shown = s2.copies["orders"].version;
    ASSERT_GT(shown, s1.copies["orders"].version);
    world.heal();
    world.pass(500ms, {"s2"});
    TestSession& next_life = world.session("s2", 2);  // its clients cannot say what they hold
    world.tell_table();
    next_life.want(kOrders);
    EXPECT_GT(next_life.copies["orders"].version, shown);
    TestSession& other = world.session("s3");
    world.tell_table();
    other.want(kOrders);
    EXPECT_GT(other.copies["orders"].version, shown);
    world.pass(12s);
    EXPECT_GT(s1.copies["orders"].version, shown) << "they may come to it, too";
}

TEST_F(Acting, GoesOverIntoLeading) {
    split();
    s2.publish("b", kOrders, true);
    world.kill("d1");
    world.heal();
    world.assign({"d2", "d3"});
    s2.acting_node = {};
    s1.want(kOrders);
    s2.want(kOrders);
    world.pass(2s);
    EXPECT_EQ(s1.copies["orders"].ids, (Ids{"a", "b"}));
    EXPECT_EQ(s2.copies["orders"].ids, (Ids{"a", "b"}));
    EXPECT_EQ(world.copy("d3").digest, world.copy("d2").digest);
    EXPECT_EQ(world.copy("d3").held, world.copy("d2").held);
}

// The old leader told s1 more after the cut: no version that the new one knows.
TEST_F(Acting, TellsWhatItWroteToWhoWasOnTheOtherSideOnceItLeads) {
    split();
    s2.publish("b", kOrders, true);
    s1.publish("c", kOrders);
    ASSERT_EQ(s1.copies["orders"].ids, (Ids{"a", "c"}));
    world.kill("d1");
    world.heal();
    s2.acting_node = {};
    world.assign({"d2", "d3"});
    s1.want(kOrders);
    EXPECT_FALSE(world.copy("d2").settled);
    EXPECT_EQ(s1.copies["orders"].ids, (Ids{"a", "b", "c"}));
}

TEST_F(Acting, StreamsWhatItWroteOnceItLeads) {
    split();
    for (int i = 0; i < 500; ++i) {
        s2.publish("p" + std::to_string(i), kOrders, true);
    }
    world.kill("d1");
    world.heal();
    world.sent.clear();
    s2.acting_node = {};
    world.assign({"d2", "d3"});
    EXPECT_EQ(world.copy("d3").publications, 501U);
    EXPECT_EQ(world.copy("d3").held, (LogPosition{world.table.slots[0].epoch, 500}));
    EXPECT_EQ(world.copy("d2").held, world.copy("d3").held);
    EXPECT_EQ(world.count<msg::SlotImage>(), 0U);
}

}  // namespace
}  // namespace muster::data
