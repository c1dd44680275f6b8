#include "roles/data/session_links.h"

#include <gtest/gtest.h>

#include "roles/data/slots.h"

namespace muster::data {
namespace {

using std::chrono::seconds;

const NodeId kSession("s1");
constexpr SlotId kSlot(0);

class SessionLinksTest : public ::testing::Test {
protected:
    SessionLink& hear(std::uint64_t life) {
        SessionLink* link = sessions.hear(kSession, Incarnation(life), now);
        EXPECT_NE(link, nullptr);
        return *link;
    }
    bool complete(std::uint64_t life, std::uint64_t epoch) {
        return sessions.all_complete(
            {{.node = kSession, .role = Role::session, .incarnation = Incarnation(life)}}, kSlot,
            Epoch(epoch));
    }

    SessionLinks sessions;
    MonoTime now{seconds(1)};
};

TEST_F(SessionLinksTest, RefuseAnEarlierLife) {
    hear(2);
    EXPECT_EQ(sessions.hear(kSession, Incarnation(1), now), nullptr);
}

TEST_F(SessionLinksTest, NumberLivesOfOneSessionSoThatTheyAreKnownAsSuch) {
    const store::OwnerId first = hear(1).owner;
    const store::OwnerId other = sessions.hear(NodeId("s2"), Incarnation(1), now)->owner;
    const store::OwnerId second = hear(5).owner;
    EXPECT_TRUE(store::succeeds(second, first));
    EXPECT_FALSE(store::succeeds(first, second));
    EXPECT_FALSE(store::succeeds(second, second));
    EXPECT_FALSE(store::succeeds(other, first));
}

TEST_F(SessionLinksTest, LeaveWhatAnEarlierLifeOwnedAsOrphans) {
    const store::OwnerId first = hear(1).owner;
    EXPECT_TRUE(sessions.expired(now + seconds(60), seconds(12)).empty());
    hear(2);
    EXPECT_TRUE(sessions.expired(now + seconds(11), seconds(12)).empty());
    const auto orphans = sessions.expired(now + seconds(12), seconds(12));
    ASSERT_EQ(orphans.size(), 1U);
    EXPECT_EQ(orphans.front().owner, first);
    sessions.forget(orphans.front());
    EXPECT_TRUE(sessions.expired(now + seconds(60), seconds(12)).empty());
}

TEST_F(SessionLinksTest, GiveOrphansTheTimeOfAPauseBack) {
    hear(1);
    hear(2);
    sessions.extend(seconds(20));
    EXPECT_TRUE(sessions.expired(now + seconds(31), seconds(12)).empty());
    EXPECT_EQ(sessions.expired(now + seconds(32), seconds(12)).size(), 1U);
}

TEST_F(SessionLinksTest, KnowWhenEverySessionHasSuppliedASlotInItsEpoch) {
    EXPECT_FALSE(complete(1, 3)) << "never heard of";
    SessionLink& link = hear(1);
    EXPECT_FALSE(complete(1, 3));
    link.supplied[kSlot] = Epoch(2);
    EXPECT_FALSE(complete(1, 3));
    link.supplied[kSlot] = Epoch(3);
    EXPECT_TRUE(complete(1, 3));
    EXPECT_FALSE(complete(2, 3)) << "an earlier life than the member";
}

TEST(Slots, BeginEmptyInEachNewEpochAndEndWhenAnotherLeads) {
    Slots slots(NodeId("d1"), 10);
    SlotTable table{.epoch = Epoch(1), .slots = {Slot{.leader = NodeId("d1"), .epoch = Epoch(1)}}};
    EXPECT_EQ(slots.adopt(table), std::vector{kSlot});
    LedSlot* led = slots.find(kSlot);
    ASSERT_NE(led, nullptr);
    led->settled = true;
    EXPECT_TRUE(slots.adopt(table).empty()) << "no newer table";
    table.epoch = Epoch(2);
    EXPECT_TRUE(slots.adopt(table).empty()) << "nothing changed for this slot";
    EXPECT_TRUE(slots.find(kSlot)->settled);
    table.epoch = Epoch(3);
    table.slots.front().epoch = Epoch(3);
    EXPECT_EQ(slots.adopt(table), std::vector{kSlot});
    EXPECT_FALSE(slots.find(kSlot)->settled);
    table.epoch = Epoch(4);
    table.slots.front().leader = NodeId("d2");
    EXPECT_TRUE(slots.adopt(table).empty());
    EXPECT_EQ(slots.find(kSlot), nullptr);
    EXPECT_EQ(slots.epoch_of(kSlot), Epoch(3));
    EXPECT_EQ(slots.epoch_of(SlotId(9)), Epoch());
}

}  // namespace
}  // namespace muster::data
