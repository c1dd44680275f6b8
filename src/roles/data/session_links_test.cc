#include "roles/data/session_links.h"

#include <gtest/gtest.h>

namespace muster::data {
namespace {

using std::chrono::seconds;

const NodeId kSession("s1");
constexpr SlotId kSlot(0);

const Graces kGraces{.closed = seconds(10), .silent = seconds(600)};

class SessionLinksTest : public ::testing::Test {
protected:
    SessionLink& hear(std::uint64_t life) {
        SessionLink* link = sessions.hear(kSession, Incarnation(life), now);
        EXPECT_NE(link, nullptr);
        return *link;
    }
    bool supplied(std::uint64_t life, std::uint64_t epoch) {
        learn(life);
        return all_supplied(epoch);
    }
    void learn(std::uint64_t life) {
        sessions.learn(
            {{.node = kSession, .role = Role::session, .incarnation = Incarnation(life)}}, now);
    }
    bool all_supplied(std::uint64_t epoch) {
        return sessions.all_supplied(kSlot, Epoch(epoch), now, kGraces);
    }

    Owners owners;
    SessionLinks sessions{owners, TellLimits{}};
    MonoTime now{seconds(1)};
};

TEST_F(SessionLinksTest, RefuseAnEarlierLife) {
    hear(2);
    EXPECT_EQ(sessions.hear(kSession, Incarnation(1), now), nullptr);
}

TEST_F(SessionLinksTest, NumberLivesOfOneSessionSoThatTheyAreKnownAsSuch) {
    constexpr std::uint64_t kLater = 1'795'000'000'000;  // lives may be milliseconds
    const store::OwnerId second = hear(kLater).owner;
    const store::OwnerId first = owners.of(kSession, Incarnation(2));
    const store::OwnerId other = sessions.hear(NodeId("s2"), Incarnation(1), now)->owner;
    EXPECT_TRUE(store::succeeds(second, first)) << "also when the earlier one is heard of later";
    EXPECT_FALSE(store::succeeds(first, second));
    EXPECT_FALSE(store::succeeds(second, second));
    EXPECT_FALSE(store::succeeds(other, first));
    EXPECT_EQ(owners.session(second), kSession);
    EXPECT_EQ(Owners::life(second), Incarnation(kLater));
}

TEST_F(SessionLinksTest, KnowWhenEverySessionHasSuppliedASlotInItsEpoch) {
    EXPECT_FALSE(supplied(1, 3)) << "never heard of";
    SessionLink& link = hear(1);
    EXPECT_FALSE(supplied(1, 3));
    link.supplied[kSlot] = Epoch(2);
    EXPECT_FALSE(supplied(1, 3));
    link.supplied[kSlot] = Epoch(3);
    EXPECT_TRUE(supplied(1, 3));
    EXPECT_FALSE(supplied(2, 3)) << "an earlier life than the member";
}

TEST_F(SessionLinksTest, DoNotWaitForASessionThatEndedLongerThanItsGrace) {
    hear(1);
    sessions.note_gone(kSession, GoneReason::closed, now);
    now += seconds(9);
    EXPECT_FALSE(supplied(1, 3));
    now += seconds(1);
    EXPECT_TRUE(supplied(1, 3));
}

TEST_F(SessionLinksTest, WaitLongerForOneThatMayLiveBehindACut) {
    hear(1);
    sessions.note_silent(now + seconds(2), seconds(3));
    EXPECT_FALSE(sessions.gone(kSession));
    sessions.note_silent(now + seconds(3), seconds(3));
    ASSERT_TRUE(sessions.gone(kSession));
    now += seconds(600);
    EXPECT_FALSE(supplied(1, 3));
    now += seconds(3);
    EXPECT_TRUE(supplied(1, 3));
}

TEST_F(SessionLinksTest, TakeAnEndForMoreThanASilenceButNotTheOtherWayRound) {
    hear(1);
    sessions.note_gone(kSession, GoneReason::silent, now);
    sessions.note_gone(kSession, GoneReason::closed, now + seconds(1));
    sessions.note_gone(kSession, GoneReason::silent, now + seconds(2));
    EXPECT_EQ(sessions.gone(kSession)->reason, GoneReason::closed);
    EXPECT_EQ(sessions.gone(kSession)->since, now + seconds(1));
}

TEST_F(SessionLinksTest, TakeAnEndForOverWhenALinkIsUpAgain) {
    learn(1);
    sessions.note_gone(kSession, GoneReason::closed, now);
    now += seconds(9);
    sessions.note_up(kSession, now);
    now += seconds(599);
    EXPECT_FALSE(all_supplied(3)) << "it lives, and was not heard yet";
    now += seconds(1);
    EXPECT_TRUE(all_supplied(3));
}

TEST_F(SessionLinksTest, WantEverythingAgainFromOneThatIsBack) {
    hear(1).supplied[kSlot] = Epoch(3);
    sessions.note_gone(kSession, GoneReason::silent, now);
    EXPECT_FALSE(supplied(1, 3));
    hear(1);
    EXPECT_FALSE(sessions.gone(kSession));
    EXPECT_FALSE(supplied(1, 3)) << "others may have served it meanwhile";
}

TEST_F(SessionLinksTest, WaitForOneThatTheMetasRemovedAsForOneThatIsSilent) {
    learn(1);
    sessions.learn({}, now);
    EXPECT_FALSE(all_supplied(3)) << "it was never heard of here, but may own something";
    now += seconds(600);
    EXPECT_TRUE(all_supplied(3));
    learn(1);
    EXPECT_FALSE(all_supplied(3)) << "back";
}

TEST_F(SessionLinksTest, GiveBackTheTimeOfAPause) {
    hear(1);
    sessions.note_gone(kSession, GoneReason::closed, now);
    sessions.extend(seconds(20));
    now += seconds(29);
    EXPECT_FALSE(supplied(1, 3));
    now += seconds(1);
    EXPECT_TRUE(supplied(1, 3));
}

}  // namespace
}  // namespace muster::data
