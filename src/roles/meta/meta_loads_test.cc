#include "roles/meta/meta_story.h"

namespace muster::meta {
namespace {

// Two sessions and a data node at rest.
class MetaLoads : public testing::Test {
protected:
    MetaLoads() {
        story.settle_cluster({&data, &one, &two});
        live(seconds(12));  // nothing is held any more
        EXPECT_FALSE(one.loads.hold);
    }
    void live(Duration time) {
        story.live({&data, &one, &two}, time);
    }
    static std::uint64_t told(const FakeNode& to, const FakeNode& of) {
        for (const msg::ClientLoad& load : to.loads.sessions) {
            if (load.session == of.member.node) {
                return load.clients;
            }
        }
        ADD_FAILURE() << of.member.node.raw() << " is not named";
        return 0;
    }

    Story story;
    FakeNode data{"data-1", Role::data};
    FakeNode one{"session-1", Role::session};
    FakeNode two{"session-2", Role::session};
};

TEST_F(MetaLoads, TellsEachSessionOfTheClientsOfAll) {
    one.clients = 100;
    two.clients = 50;
    two.capacity = 3;
    live(seconds(2));
    EXPECT_EQ(told(one, one), 100U);
    EXPECT_EQ(told(one, two), 50U);
    EXPECT_EQ(told(two, one), 100U);
    EXPECT_EQ(two.loads.sessions[1].capacity, 3U);
    EXPECT_EQ(data.loads_told, 0U) << "data nodes have no use for it";
}

TEST_F(MetaLoads, SaysNothingWhileNothingChanges) {
    const std::size_t before = one.loads_told;
    live(seconds(60));
    EXPECT_EQ(one.loads_told, before);
}

TEST_F(MetaLoads, TellsAtMostOnceASecondHoweverMuchChanges) {
    const std::size_t before = one.loads_told;
    for (int i = 0; i < 40; ++i) {
        one.clients += 100;
        live(milliseconds(250));
    }
    EXPECT_LE(one.loads_told - before, 11U);
    EXPECT_GE(one.loads_told - before, 8U);
}

TEST_F(MetaLoads, WaitsLongerForSmallChanges) {
    one.clients = 1000;
    live(seconds(2));
    const std::size_t before = one.loads_told;
    one.clients = 1040;
    live(seconds(2));
    EXPECT_EQ(told(two, one), 1000U);
    live(seconds(4));
    EXPECT_EQ(told(two, one), 1040U);
    EXPECT_EQ(one.loads_told, before + 1);
}

TEST_F(MetaLoads, NamesNoSessionThatLeavesOrDied) {
    two.member.phase = MemberPhase::leaving;
    live(seconds(1));
    ASSERT_EQ(one.loads.sessions.size(), 1U);
    EXPECT_TRUE(one.loads.hold);
    story.live({&data, &one}, seconds(20));
    EXPECT_EQ(one.loads.sessions.size(), 1U);
    EXPECT_FALSE(one.loads.hold) << "the dead trouble nobody";
}

TEST_F(MetaLoads, HoldsWhileSomebodyIsSuspect) {
    story.live({&one, &two}, milliseconds(1750));  // data-1 is silent, and not dead yet
    EXPECT_TRUE(one.loads.hold);
    live(seconds(4));
    EXPECT_TRUE(one.loads.hold) << "for a while after";
    live(seconds(3));
    EXPECT_FALSE(one.loads.hold);
}

TEST_F(MetaLoads, HoldsWhileABrakeIsOn) {
    two.brakes = {{.name = "session-2", .node = two.member.node, .braking = true}};
    live(seconds(1));
    EXPECT_TRUE(one.loads.hold);
    two.brakes.clear();
    live(seconds(7));
    EXPECT_FALSE(one.loads.hold);
}

TEST_F(MetaLoads, OfANewLeaderAreAnotherVersionAndHeldFirst) {
    const auto before = one.loads.version;
    story.kill();
    story.start_and_settle();
    live(seconds(1));
    EXPECT_NE(one.loads.version, before);
    EXPECT_TRUE(one.loads.hold);
    live(seconds(12));
    EXPECT_FALSE(one.loads.hold);
    EXPECT_EQ(one.loads.sessions.size(), 2U);
}

TEST_F(MetaLoads, AreShownToOperators) {
    one.clients = 7;
    live(seconds(1));
    const auto reply = story.ask(msg::OperatorRequest::ReportCluster{});
    ASSERT_TRUE(reply && reply->report);
    for (const auto& line : reply->report->members) {
        EXPECT_EQ(line.clients, line.member.node == one.member.node   ? 7
                                : line.member.node == two.member.node ? 0
                                                                      : -1);
    }
}

}  // namespace
}  // namespace muster::meta
