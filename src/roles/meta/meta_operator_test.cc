#include "roles/meta/meta_story.h"

namespace muster::meta {
namespace {

TEST(MetaServer, TellsOperatorsHowItIs) {
    Story story;
    story.start_and_settle();
    ASSERT_TRUE(story.heartbeat(Story::data(), 1).has_value());
    ASSERT_TRUE(story.heartbeat(Story::session(), 1).has_value());
    story.server->on_message(Story::data(), msg::ChangeBatch{});
    MetricNames metrics;
    story.server->write_metrics(metrics);
    story.consensus->write_metrics(metrics);
    EXPECT_EQ(metrics.values.at("muster_meta_members_live"), 2);
    EXPECT_EQ(metrics.values.at("muster_meta_slots_without_leader"), 0);
    EXPECT_EQ(metrics.values.at("muster_meta_refused_messages_total"), 1);
    EXPECT_EQ(metrics.values.at("muster_meta_joins_total"), 2);
    EXPECT_EQ(metrics.values.at("muster_raft_leader"), 1);
    const MetaStatus status = story.server->status();
    EXPECT_TRUE(status.ready);
    EXPECT_EQ(status.slots, 256U);
    EXPECT_EQ(status.members.at(0).member.role, Role::data);
    EXPECT_EQ(status.members.at(0).silent_for, Duration::zero());
    EXPECT_GT(status.consensus.log_bytes, 0U);
}

using Request = msg::OperatorRequest;

TEST(MetaServerOperator, ReportsTheCluster) {
    Story story;
    FakeNode a("a", Role::data);
    FakeNode b("b", Role::data);
    story.settle_cluster({&a, &b});
    const auto reply = story.ask(Request::ReportCluster{});
    ASSERT_TRUE(reply && reply->result && reply->report);
    EXPECT_EQ(reply->incarnation, Incarnation(1));
    const msg::ClusterReport& report = *reply->report;
    EXPECT_EQ(report.leader, NodeId("meta-1"));
    EXPECT_EQ(report.table, a.table);
    ASSERT_EQ(report.members.size(), 2U);
    EXPECT_EQ(report.members[0].slots_led, 128U);
    EXPECT_EQ(report.members[0].slots_followed, 128U);
    EXPECT_GE(report.members[0].silent_ms, 0);
    ASSERT_EQ(report.copies.size(), 512U);
    EXPECT_TRUE(report.copies[0].state.synced);
    EXPECT_EQ(report.moving, 0U);
    EXPECT_TRUE(report.protected_why.empty());
}

TEST(MetaServerOperator, MovesASlotAndKeepsItThere) {
    Story story;
    FakeNode a("a", Role::data);
    FakeNode b("b", Role::data);
    story.settle_cluster({&a, &b});
    const auto slot = static_cast<std::uint16_t>(a.table.slots[0].leader == NodeId("a") ? 0 : 1);
    const NodeId from = a.table.slots[slot].leader;
    const NodeId to(from == NodeId("a") ? "b" : "a");
    EXPECT_TRUE(story.ask(Request::MoveSlot{SlotId(slot), to})->result);
    story.live({&a, &b}, seconds(4));
    EXPECT_EQ(a.table.slots[slot].leader, to);
    EXPECT_EQ(story.ask(Request::ReportCluster{})->report->wishes.size(), 1U);
    EXPECT_TRUE(story.ask(Request::StartPlacement{})->result);
    EXPECT_TRUE(story.ask(Request::ReportCluster{})->report->wishes.empty());
}

TEST(MetaServerOperator, RefusesMovesThatCannotBe) {
    Story story;
    FakeNode a("a", Role::data);
    FakeNode b("b", Role::data);
    story.settle_cluster({&a, &b});
    EXPECT_EQ(story.ask(Request::MoveSlot{SlotId(256), NodeId("a")})->result.error().code,
              Errc::invalid_argument);
    EXPECT_EQ(story.ask(Request::MoveSlot{SlotId(0), NodeId("z")})->result.error().code,
              Errc::not_found);
    story.live({&a}, seconds(4));
    EXPECT_EQ(story.ask(Request::MoveSlot{SlotId(0), NodeId("b")})->result.error().code,
              Errc::conflict);
}

TEST(MetaServerOperator, StopsAndStartsPlacementForGood) {
    Story story;
    FakeNode a("a", Role::data);
    FakeNode b("b", Role::data);
    story.start_and_settle();
    story.live({&a}, seconds(1));
    EXPECT_TRUE(story.ask(Request::StopPlacement{})->result);
    story.kill();
    story.start_and_settle();
    story.live({&a, &b}, seconds(4));
    EXPECT_EQ(story.ask(Request::ReportCluster{})->report->placement,
              msg::ClusterReport::Placement::stopped);
    EXPECT_EQ(a.led(), 256U);
    EXPECT_TRUE(a.table.slots[0].followers.empty());
    EXPECT_TRUE(story.ask(Request::StartPlacement{})->result);
    story.live({&a, &b}, seconds(4));
    EXPECT_EQ(a.led(), 128U);
}

TEST(MetaServerOperator, ForcesPlacementUntilEnoughNodesLive) {
    Story story;
    FakeNode a("a", Role::data);
    FakeNode b("b", Role::data);
    FakeNode c("c", Role::data);
    FakeNode d("d", Role::data);
    FakeNode e("e", Role::data);
    story.settle_cluster({&a, &b, &c, &d, &e});
    story.live({&a, &b}, seconds(15));
    const auto held = story.ask(Request::ReportCluster{})->report;
    EXPECT_NE(held->protected_why, "");
    const auto followed = [&] {
        return story.server->status().members.at(0).slots_followed +
               story.server->status().members.at(0).slots_led;
    };
    EXPECT_LT(followed(), 256U);
    EXPECT_TRUE(story.ask(Request::ForcePlacement{})->result);
    story.live({&a, &b}, seconds(10));
    EXPECT_EQ(followed(), 256U);
    EXPECT_EQ(story.ask(Request::ReportCluster{})->report->placement,
              msg::ClusterReport::Placement::forced);
    story.live({&a, &b, &c}, seconds(2));
    EXPECT_EQ(story.ask(Request::ReportCluster{})->report->placement,
              msg::ClusterReport::Placement::automatic);
}

TEST(MetaServerOperator, RemovesTheDeadOnly) {
    Story story;
    FakeNode a("a", Role::data);
    FakeNode b("b", Role::data);
    story.settle_cluster({&a, &b});
    EXPECT_EQ(story.ask(Request::RemoveMember{NodeId("b"), Role::data})->result.error().code,
              Errc::conflict);
    EXPECT_EQ(story.ask(Request::RemoveMember{NodeId("b"), Role::session})->result.error().code,
              Errc::not_found);
    story.live({&a}, seconds(4));
    EXPECT_TRUE(story.ask(Request::RemoveMember{NodeId("b"), Role::data})->result);
    story.live({&a}, seconds(1));
    EXPECT_EQ(a.members.size(), 1U);
    EXPECT_TRUE(a.table.slots[0].followers.empty());
    story.pass(seconds(4));
    EXPECT_EQ(story.ask(Request::RemoveMember{NodeId("a"), Role::data})->result.error().code,
              Errc::conflict);
}

TEST(MetaServerOperator, StaysSilentWhileItDoesNotLead) {
    Story story;
    story.start();
    story.server->on_message(Story::session(),
                             Request{Incarnation(1), 1, Request::ReportCluster{}});
    EXPECT_TRUE(story.mail.sent[Story::session()].empty());
}

}  // namespace
}  // namespace muster::meta
