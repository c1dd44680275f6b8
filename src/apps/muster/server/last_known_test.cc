#include "apps/muster/server/last_known.h"

#include <gtest/gtest.h>

#include "apps/muster/server/desk_test_env.h"

namespace muster::cli {
namespace {

using namespace std::chrono_literals;

constexpr MonoTime kStart{1000s};

class LastKnownTest : public testing::Test {
protected:
    LastKnownTest() {
        view.begin(kStart);
    }
    KeptOutbox outbox;
    node::NodeView view{{.incarnation = Incarnation(2), .metas = {NodeId("m1")}},
                        {.outbox = outbox, .log = {}}};
};

TEST_F(LastKnownTest, TellsWhatTheMetasSaidAndWhen) {
    view.take(NodeId("m1"),
              {.incarnation = Incarnation(2),
               .table = SlotTable{.epoch = Epoch(7),
                                  .slots = {{.leader = NodeId("d1"), .followers = {NodeId("d2")}},
                                            {.leader = NodeId("d1"), .followers = {}}}},
               .members_epoch = 4,
               .members = {{{.node = NodeId("d1"), .role = Role::data},
                            {.node = NodeId("d2"), .role = Role::data},
                            {.node = NodeId("d1"), .role = Role::session}}}},
              kStart + 1s);
    const LastKnown known = last_known(view, {NodeId("m1")}, kStart + 13s);
    EXPECT_EQ(known.age, 12s);
    EXPECT_EQ(known.report.leader, NodeId{}) << "nobody's word now";
    EXPECT_EQ(known.report.metas, std::vector{NodeId("m1")});
    EXPECT_EQ(known.report.table.epoch, Epoch(7));
    EXPECT_EQ(known.report.members_epoch, 4U);
    ASSERT_EQ(known.report.members.size(), 3U);
    EXPECT_EQ(known.report.members[0].slots_led, 2U);
    EXPECT_EQ(known.report.members[0].silent_ms, -1);
    EXPECT_EQ(known.report.members[1].slots_followed, 1U);
    EXPECT_EQ(known.report.members[2].slots_led, 0U) << "a session leads none";
}

TEST_F(LastKnownTest, HasNoAgeBeforeAMetaHasAnsweredInThisLife) {
    EXPECT_FALSE(last_known(view, {}, kStart + 5s).age);
}

TEST_F(LastKnownTest, TheNewerTableIsTaken) {
    LastKnown older;
    older.report.table.epoch = Epoch(1);
    older.age = 1s;
    LastKnown newer;
    newer.report.table.epoch = Epoch(2);
    newer.age = 2s;
    EXPECT_EQ(newer_of(older, newer).age, 2s);
    EXPECT_EQ(newer_of(newer, older).age, 2s);
    EXPECT_EQ(newer_of(older, older).age, 1s);
}

}  // namespace
}  // namespace muster::cli
