#include "roles/data/test_world.h"

namespace muster::data {
namespace {

using namespace std::chrono_literals;
using test::service;
using test::TestSession;
using test::World;

const ServicePtr kOrders = service("orders");

class Replication : public ::testing::Test {
protected:
    Replication() {
        world.assign({"d1", "d2", "d3"});
        world.pass(1s);
    }
    // Every copy holds the same, at the same position.
    void expect_equal() {
        const auto leader = world.copy("d1");
        for (const char* node : {"d2", "d3"}) {
            const auto copy = world.copy(node);
            EXPECT_EQ(copy.held, leader.held) << node;
            EXPECT_EQ(copy.digest, leader.digest) << node;
            EXPECT_EQ(copy.publications, leader.publications) << node;
        }
    }

    World world{{"d1", "d2", "d3"}};
    TestSession& s1 = world.session("s1");
};

TEST_F(Replication, StreamsEveryWriteToTheFollowersBeforeItIsAcknowledged) {
    s1.publish("a", kOrders);
    expect_equal();
    s1.publish("b", kOrders);
    s1.withdraw("a");
    expect_equal();
    EXPECT_EQ(world.copy("d2").publications, 1U);
    EXPECT_EQ(world["d2"].status().slots_synced, 1U);
    EXPECT_EQ(world.count<msg::SlotImage>(), 2U) << "one for each empty copy";
}

// It doubts its copy, as it missed something when a newer table came, and before it asks its leader
// something comes that was sent long before.
TEST_F(Replication, IsToldAgainThatTheLeaderIsSettledWhenAnOldMessageEndsItsDoubt) {
    s1.publish("a", kOrders);
    world.pass(500ms);
    ASSERT_TRUE(world.copy("d2").settled);
    const auto at = world.copy("d2").held;
    msg::SlotEntries old{.data = Incarnation(2),
                         .slot = SlotId(0),
                         .slot_epoch = world.table.slots[0].epoch,
                         .after = at,
                         .entries_epoch = at.epoch,
                         .settled = false,
                         .entries = {}};
    msg::SlotEntries later = old;
    later.after.number += 2;
    world.lose = [](const auto&, const auto&, const auto& message) {
        return std::holds_alternative<msg::FollowSlot>(message);
    };
    world.send({NodeId("d1"), Role::data}, {NodeId("d2"), Role::data}, later);
    world.run();
    world.assign({"d1", "d2", "d3"});
    ASSERT_FALSE(world.copy("d2").settled);
    world.send({NodeId("d1"), Role::data}, {NodeId("d2"), Role::data}, old);
    world.run();
    world.lose = [](const auto&, const auto&, const auto&) { return false; };
    world.pass(2s);
    EXPECT_TRUE(world.copy("d2").settled);
}

TEST_F(Replication, IsToldAgainThatTheLeaderIsSettledWhenItsAnswerWasOvertaken) {
    s1.publish("a", kOrders);
    world.pass(500ms);
    const auto at = world.copy("d2").held;
    world.lose = [](const auto& from, const auto&, const auto& message) {
        return from.node == NodeId("d2") && std::holds_alternative<msg::FollowAck>(message);
    };
    world.send({NodeId("d1"), Role::data}, {NodeId("d2"), Role::data},
               msg::SlotEntries{.data = Incarnation(2),
                                .slot = SlotId(0),
                                .slot_epoch = world.table.slots[0].epoch,
                                .after = at,
                                .entries_epoch = at.epoch,
                                .in_doubt = true,
                                .entries = {}});
    world.run();
    ASSERT_FALSE(world.copy("d2").settled);
    world.pass(200ms);
    world.lose = [](const auto&, const auto&, const auto&) { return false; };
    world.pass(1s);
    EXPECT_TRUE(world.copy("d2").settled);
}

TEST_F(Replication, SendsAgainWhatWasLost) {
    std::size_t left = 3;
    world.lose = [&](const auto&, const auto&, const auto& message) {
        return std::holds_alternative<msg::SlotEntries>(message) && left-- > 0;
    };
    s1.publish("a", kOrders);
    world.lose = [](const auto&, const auto&, const auto&) { return false; };
    EXPECT_EQ(world.copy("d2").publications, 0U);
    world.pass(1s);
    expect_equal();
}

TEST_F(Replication, TakesACopyAnewThatDiffersAtTheSamePosition) {
    std::optional<msg::SlotEntries> lost;
    world.lose = [&](const auto&, const auto& to, const auto& message) {
        const auto* entries = std::get_if<msg::SlotEntries>(&message);
        if (entries == nullptr || entries->entries.empty() || to.node != NodeId("d2")) {
            return false;
        }
        lost = *entries;
        return true;
    };
    s1.publish("a", kOrders);
    world.lose = [](const auto&, const auto&, const auto&) { return false; };
    ASSERT_TRUE(lost.has_value());
    auto altered = std::make_shared<Publication>(*lost->entries[0].writes[0].publication);
    altered->id = RegistId("b");
    lost->entries[0].writes[0].publication = altered;
    world.send({NodeId("d1"), Role::data}, {NodeId("d2"), Role::data}, *lost);
    world.run();
    ASSERT_EQ(world.copy("d2").held, world.copy("d1").held);
    ASSERT_NE(world.copy("d2").digest, world.copy("d1").digest);
    world.sent.clear();
    world.pass(1s);
    expect_equal();
    EXPECT_EQ(world.count<msg::SlotImage>(), 1U) << "d3 differs from nothing";
}

// What left its follower first and arrives last makes the leader send an image to who has all.
TEST_F(Replication, GoesOnAfterAnOvertakenRequest) {
    s1.publish("a", kOrders);
    world.send({NodeId("d2"), Role::data}, {NodeId("d1"), Role::data},
               msg::FollowSlot{.data = Incarnation(2),
                               .slot = SlotId(0),
                               .slot_epoch = world.table.slots[0].epoch,
                               .held = {}});
    world.run();
    s1.publish("b", kOrders);
    world.pass(2s);
    expect_equal();
    EXPECT_EQ(world["d2"].status().slots_synced, 1U);
}

TEST_F(Replication, GoesOnWhenTheAnswerToAnOvertakenRequestIsLost) {
    s1.publish("a", kOrders);
    world.lose = [](const auto&, const auto&, const auto& message) {
        return std::holds_alternative<msg::SlotImage>(message);
    };
    world.send({NodeId("d2"), Role::data}, {NodeId("d1"), Role::data},
               msg::FollowSlot{.data = Incarnation(2),
                               .slot = SlotId(0),
                               .slot_epoch = world.table.slots[0].epoch,
                               .held = {}});
    world.run();
    world.lose = [](const auto&, const auto&, const auto&) { return false; };
    s1.publish("b", kOrders);
    world.pass(3s);
    expect_equal();
}

TEST_F(Replication, CostsNothingButAPulseWhenAllIsStill) {
    for (int i = 0; i < 100; ++i) {
        s1.publish("a" + std::to_string(i), kOrders);
    }
    world.pass(1s);
    world.sent.clear();
    world.pass(5s);
    EXPECT_EQ(world.count<msg::SlotEntries>(), 0U);
    EXPECT_EQ(world.count<msg::FollowSlot>(), 0U);
    EXPECT_EQ(world.count<msg::FollowAck>(), 0U);
    EXPECT_EQ(world.count<msg::LeaderPulse>(), 40U);
    EXPECT_TRUE(world.heartbeats[NodeId("d2")].copies.empty());
}

TEST_F(Replication, GivesAFollowerThatFellOutOfTheLogAnImageInParts) {
    world.cut("d1", "d3");
    for (int i = 0; i < 2500; ++i) {
        s1.publish("p" + std::to_string(i), service("orders" + std::to_string(i % 3)));
    }
    world.heal();
    world.sent.clear();
    world.pass(2s);
    expect_equal();
    EXPECT_GE(world.count<msg::SlotImage>(), 3U);
    EXPECT_EQ(world["d3"].status().slots_synced, 1U);
}

TEST_F(Replication, TakesAnImageWhileTheSlotGoesOn) {
    world.cut("d1", "d3");
    for (int i = 0; i < 2500; ++i) {
        s1.publish("p" + std::to_string(i), kOrders);
    }
    world.heal();
    // Between the parts what they told already changes.
    int at = 0;
    world.lose = [&](const auto&, const auto& to, const auto& message) {
        if (std::holds_alternative<msg::SlotImage>(message) && to.node == NodeId("d3")) {
            const std::string before = "p" + std::to_string(at);
            ++at;
            world.send({s1.node, Role::session}, {NodeId("d1"), Role::data},
                       msg::PublishBatch{.session = Incarnation(1),
                                         .slot = SlotId(0),
                                         .slot_epoch = world.table.slots[0].epoch,
                                         .batch = 100'000 + static_cast<std::uint64_t>(at),
                                         .ops = {{.id = RegistId(before),
                                                  .service = kOrders,
                                                  .order = {1'000'000, 0},
                                                  .owner_seq = 1'000'000}}});
        }
        return false;
    };
    world.pass(400ms, {"s1"});
    world.pass(1s, {"s1"});
    EXPECT_GE(at, 3);
    expect_equal();
    EXPECT_EQ(world.copy("d3").publications, 2500U - static_cast<unsigned>(at));
}

TEST_F(Replication, RemembersWhatWentSoThatANewLeaderRefusesItToo) {
    s1.publish("a", kOrders);
    const auto again =
        msg::PublishBatch::Op{.id = RegistId("a"),
                              .service = kOrders,
                              .publication = std::make_shared<const Publication>(Publication{
                                  .id = RegistId("a"), .service = kOrders, .order = {1, 0}}),
                              .order = {1, 0},
                              .owner_seq = 1};
    s1.withdraw("a");
    world.assign({"d2", "d3"});
    world.send({s1.node, Role::session}, {NodeId("d2"), Role::data},
               msg::PublishBatch{.session = Incarnation(1),
                                 .slot = SlotId(0),
                                 .slot_epoch = world.table.slots[0].epoch,
                                 .batch = 77,
                                 .ops = {again}});
    world.run();
    EXPECT_EQ(world.copy("d2").publications, 0U);
}

TEST_F(Replication, CannotBeReliedOnAfterAStartBeforeItHasWhatItFollows) {
    for (int i = 0; i < 2500; ++i) {
        s1.publish("a" + std::to_string(i), kOrders);
    }
    EXPECT_EQ(world["d1"].status().waits_for, "");
    EXPECT_EQ(world["d2"].status().waits_for, "");
    world.kill("d2");
    world.start("d2");
    EXPECT_NE(world["d2"].status().waits_for, "") << "no table";
    world.cut("d1", "d2");
    world.tell_table();
    world.run();
    world.pass(20s);
    EXPECT_EQ(world["d2"].status().waits_for, "1 of 1 slots it follows are not synced yet with d1");
    world.heal();
    world.pass(1s);
    EXPECT_EQ(world["d2"].status().waits_for, "");
    expect_equal();
}

TEST_F(Replication, IsReadyAllTheSameWhenALeaderCannotBeReached) {
    world.kill("d2");
    world.start("d2");
    world.cut("d1", "d2");
    world.tell_table();
    world.pass(29s);
    EXPECT_NE(world["d2"].status().waits_for, "");
    world.pass(2s);
    EXPECT_EQ(world["d2"].status().waits_for, "");
    EXPECT_EQ(world["d2"].status().slots_synced, 0U);
}

TEST_F(Replication, TellsTheMetasHowFarItsCopiesAre) {
    s1.publish("a", kOrders);
    world.pass(500ms);
    const auto leader = world.copy("d1").held;
    EXPECT_EQ(world.reported[NodeId("d2")][SlotId(0)].held, leader);
    EXPECT_TRUE(world.reported[NodeId("d2")][SlotId(0)].synced);
    world.pass(3s);
    EXPECT_TRUE(world.heartbeats[NodeId("d2")].copies.empty());
    world.link("d2", "d1", msg::LinkEvent::closed);
    EXPECT_EQ(world.heartbeats[NodeId("d2")].copies.size(), 1U);
    EXPECT_TRUE(world.heartbeats[NodeId("d2")].copies_whole);
    const auto& lost = world.heartbeats[NodeId("d2")].lost;
    ASSERT_EQ(lost.size(), 1U);
    EXPECT_EQ(lost.front().node, NodeId("d1"));
}

}  // namespace
}  // namespace muster::data
