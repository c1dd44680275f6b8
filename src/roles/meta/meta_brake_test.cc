#include "roles/meta/meta_story.h"

namespace muster::meta {
namespace {

using Action = msg::BrakeRequest::Action;

// Two data nodes that lead a thousand publications between them.
class MetaServerBrake : public testing::Test {
protected:
    MetaServerBrake() {
        a.publications = b.publications = 500;
        story.settle_cluster({&a, &b});
    }
    void lose(FakeNode& node, std::uint64_t count) {
        node.publications -= count;
        node.removals += count;
    }

    Story story;
    FakeNode a{"a", Role::data};
    FakeNode b{"b", Role::data};
};

TEST_F(MetaServerBrake, IsOnWhenTooManyEndAtOnceEverywhereTogether) {
    lose(a, 200);
    story.live({&a, &b}, seconds(1));
    EXPECT_EQ(a.braking, "");
    lose(b, 101);
    story.beat(b);
    story.settle();
    story.deliver(a);
    const std::string why =
        "301 of 1000 publications of the cluster closed or fell silent within 10 s";
    EXPECT_EQ(b.braking, why);
    EXPECT_EQ(a.braking, why) << "before its next heartbeat";
    MetricNames metrics;
    story.server->write_metrics(metrics);
    EXPECT_EQ(metrics.values.at("muster_meta_brake"), 1);
    EXPECT_EQ(metrics.values.at("muster_meta_brake_trips_total"), 1);
}

TEST_F(MetaServerBrake, IsOffWhenNothingMoreEnded) {
    lose(a, 400);
    story.live({&a, &b}, seconds(9));
    EXPECT_NE(a.braking, "");
    lose(a, 1);
    story.live({&a, &b}, seconds(9));
    EXPECT_NE(a.braking, "") << "one more";
    story.live({&a, &b}, seconds(3));
    EXPECT_EQ(a.braking, "");
}

TEST_F(MetaServerBrake, SingleEndsAndEarlierOnesAreNoReason) {
    for (int i = 0; i < 20; ++i) {
        lose(a, 1);
        story.live({&a, &b}, seconds(1));
        EXPECT_EQ(a.braking, "");
    }
    FakeNode c{"c", Role::data};
    c.publications = 10;
    c.removals = 5000;
    story.live({&a, &b, &c}, seconds(2));
    EXPECT_EQ(a.braking, "") << "long ago, as far as is known";
}

TEST_F(MetaServerBrake, EndsWhenAnOperatorSaysSo) {
    lose(a, 400);
    story.live({&a, &b}, seconds(1));
    const auto held = story.ask_brake({.action = Action::report});
    ASSERT_TRUE(held);
    ASSERT_EQ(held->lines.size(), 1U);
    EXPECT_EQ(held->lines[0].scope, msg::BrakeScope::cluster);
    EXPECT_EQ(held->lines[0].age_ms, 1000);
    const auto done =
        story.ask_brake({.action = Action::confirm, .scope = msg::BrakeScope::cluster});
    ASSERT_TRUE(done);
    EXPECT_EQ(done->brakes, 1U);
    story.beat(a);
    EXPECT_EQ(a.braking, "");
    EXPECT_TRUE(story.ask_brake({.action = Action::report})->lines.empty());
}

TEST_F(MetaServerBrake, TellsOfSessionsAndPassesOnWhatIsDecidedOfThem) {
    FakeNode s{"s", Role::session};
    s.brakes = {{.scope = msg::BrakeScope::session, .name = "s", .node = NodeId("s"), .held = 80}};
    story.live({&a, &b, &s}, seconds(1));
    const auto held = story.ask_brake({.action = Action::report});
    ASSERT_EQ(held->lines.size(), 1U);
    EXPECT_EQ(held->lines[0], s.brakes[0]);
    const msg::BrakeRequest confirm{.action = Action::confirm,
                                    .scope = msg::BrakeScope::session,
                                    .name = "s",
                                    .asked_by = "ana@ops1"};
    const auto done = story.ask_brake(confirm);
    EXPECT_EQ(done->brakes, 1U);
    EXPECT_EQ(done->publications, 80U);
    const auto passed = story.mail.last<msg::BrakeRequest>(s.who());
    ASSERT_TRUE(passed);
    EXPECT_EQ(passed->action, Action::confirm);
    EXPECT_EQ(passed->asked_by, "ana@ops1");
    EXPECT_NE(passed->asked_at, NodeId{}) << "who asked there, not the meta that passes it on";
    s.brakes.clear();
    story.live({&a, &b, &s}, seconds(1));
    EXPECT_EQ(story.ask_brake(confirm)->brakes, 0U);
}

}  // namespace
}  // namespace muster::meta
