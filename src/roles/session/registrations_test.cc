#include "roles/session/registrations.h"

#include <gtest/gtest.h>

#include "model/cluster.h"

namespace muster::session {
namespace {

using std::chrono::seconds;

const ServicePtr kOrders = std::make_shared<const Service>(Service{.data_id = "orders"});
const ServicePtr kStock = std::make_shared<const Service>(Service{.data_id = "stock"});
constexpr env::ConnId kOld(7);
constexpr env::ConnId kNew(3);  // opened later; the numbers of connections say nothing

class RegistrationsTest : public ::testing::Test {
protected:
    RegistrationsTest() {
        registrations.open_connection(kOld);
        registrations.open_connection(kNew);
    }

    static PublicationPtr state(std::int64_t version, std::int64_t timestamp,
                                const ServicePtr& service = kOrders) {
        auto publication = std::make_shared<Publication>();
        publication->id = RegistId("p");
        publication->service = service;
        publication->order = {version, timestamp};
        return publication;
    }
    std::optional<Registrations::Op> offer(std::int64_t version, std::int64_t timestamp,
                                           env::ConnId conn, Duration lease = {}) {
        auto taken = registrations.offer(state(version, timestamp), conn, lease, now);
        EXPECT_TRUE(taken.has_value());
        return *taken;
    }

    std::vector<Registrations::Op> expire(MonoTime at, bool may_go = true) {
        return registrations.expire_leases(at, [=](std::size_t) { return may_go; }, seconds(60));
    }

    Registrations registrations;
    MonoTime now{seconds(1)};
};

TEST_F(RegistrationsTest, TakeOnlyWhatIsNewerByTheOrderOfTheClient) {
    EXPECT_TRUE(offer(2, 100, kOld).has_value());
    EXPECT_FALSE(offer(1, 900, kOld).has_value());
    EXPECT_FALSE(offer(2, 100, kOld).has_value());
    EXPECT_TRUE(offer(2, 101, kOld).has_value());
    EXPECT_EQ(registrations.size(), 1U);
}

TEST_F(RegistrationsTest, TellWhoChangesFromWhoComesOrComesBack) {
    using News = Registrations::News;
    const auto news = [&](std::int64_t version, env::ConnId conn) {
        return registrations.news_of(*state(version, 100), conn);
    };
    EXPECT_EQ(news(1, kOld), News::first);
    offer(1, 100, kOld);
    EXPECT_EQ(news(1, kOld), News::none);
    EXPECT_EQ(news(2, kOld), News::change);
    EXPECT_EQ(news(2, kNew), News::first) << "over another connection";
    offer(2, 100, kNew);
    EXPECT_EQ(news(3, kOld), News::none) << "outranked";
    registrations.withdraw(RegistId("p"), kOrders, {2, 100}, now);
    EXPECT_EQ(news(2, kNew), News::none);
    EXPECT_EQ(news(3, kNew), News::change) << "it left";
}

TEST_F(RegistrationsTest, TellThatWhatHasALeaseChanges) {
    offer(1, 100, kOld, seconds(10));
    EXPECT_EQ(registrations.news_of(*state(2, 100), kNew), Registrations::News::change);
}

TEST_F(RegistrationsTest, KeepTheLeaseOfWhoseChangeIsNotTaken) {
    offer(1, 100, kOld, seconds(10));
    registrations.keep_lease(RegistId("p"), now + seconds(8));
    registrations.keep_lease(RegistId("unknown"), now);
    EXPECT_TRUE(expire(now + seconds(15)).empty());
    EXPECT_EQ(expire(now + seconds(19)).size(), 1U);
}

TEST_F(RegistrationsTest, TellThatWhoseConnectionClosedComesBack) {
    offer(1, 100, kOld);
    EXPECT_EQ(registrations.drop_connection(kOld, now).size(), 1U);
    EXPECT_EQ(registrations.news_of(*state(1, 101), kNew), Registrations::News::first);
}

TEST_F(RegistrationsTest, RefuseAnIdThatStandsForAnotherService) {
    offer(1, 100, kOld);
    const auto taken = registrations.offer(state(2, 100, kStock), kOld, {}, now);
    ASSERT_FALSE(taken.has_value());
    EXPECT_EQ(taken.error().code, Errc::conflict);
}

TEST_F(RegistrationsTest, RemoveWithAConnectionExactlyWhatItStillOwns) {
    offer(1, 100, kOld);
    offer(1, 200, kNew);
    EXPECT_TRUE(registrations.drop_connection(kOld, now).empty());
    const auto closed = registrations.drop_connection(kNew, now);
    ASSERT_EQ(closed.size(), 1U);
    EXPECT_EQ(closed.front().cause, RemovalCause::closed);
    EXPECT_EQ(registrations.size(), 0U);
}

TEST_F(RegistrationsTest, BelieveALaterConnectionAboutAClockThatWasSetBack) {
    offer(1, 100, kOld);
    const auto taken = offer(1, 40, kNew);
    ASSERT_TRUE(taken.has_value());
    EXPECT_EQ(taken->order, (RegistOrder{1, 101})) << "above what the leader knows";
    EXPECT_EQ(registrations.owned_by(kNew), 1U);
}

TEST_F(RegistrationsTest, GiveNothingBackToAnEarlierConnection) {
    offer(1, 100, kNew);
    EXPECT_FALSE(offer(1, 40, kOld).has_value());
    EXPECT_FALSE(offer(1, 100, kOld).has_value());
    EXPECT_FALSE(offer(1, 900, kOld).has_value());
    EXPECT_EQ(registrations.owned_by(kNew), 1U);
    EXPECT_TRUE(registrations.drop_connection(kOld, now).empty());
}

TEST_F(RegistrationsTest, NumberEveryChangeUpwards) {
    const auto first = offer(1, 100, kOld);
    const auto second = offer(2, 100, kOld);
    const auto third = registrations.withdraw(RegistId("p"), kOrders, {3, 100}, now);
    EXPECT_LT(first->owner_seq, second->owner_seq);
    EXPECT_LT(second->owner_seq, third->owner_seq);
    EXPECT_EQ(registrations.stamp(), third->owner_seq);
}

TEST_F(RegistrationsTest, LetNothingBackThatIsNotNewerThanItsUnregistration) {
    offer(1, 100, kOld);
    EXPECT_TRUE(registrations.withdraw(RegistId("p"), kOrders, {2, 100}, now).has_value());
    EXPECT_FALSE(offer(1, 100, kOld).has_value());
    EXPECT_FALSE(offer(2, 100, kOld).has_value());
    EXPECT_TRUE(offer(3, 100, kOld).has_value());
}

TEST_F(RegistrationsTest, TakeTheSameStateAgainAfterALostConnection) {
    offer(1, 100, kOld);
    EXPECT_EQ(registrations.drop_connection(kOld, now).size(), 1U);
    const auto taken = offer(1, 100, kNew);
    ASSERT_TRUE(taken.has_value());
    EXPECT_GT(taken->order, (RegistOrder{1, 100}));
}

TEST_F(RegistrationsTest, LetGoOfWhatTheirClientsSaidElsewhereButNotOfLaterStates) {
    registrations.set_slot_count(1);
    const auto first = offer(1, 100, kOld);
    const auto second = offer(2, 200, kOld);
    EXPECT_FALSE(registrations.let_go(RegistId("p"), first->owner_seq));
    EXPECT_TRUE(registrations.let_go(RegistId("p"), second->owner_seq));
    EXPECT_FALSE(registrations.let_go(RegistId("p"), second->owner_seq));
    EXPECT_EQ(registrations.digest(SlotId(0)).count, 0U);
    EXPECT_EQ(registrations.owned_by(kOld), 0U);
    EXPECT_TRUE(registrations.drop_connection(kOld, now).empty()) << "nothing is said of it";
    EXPECT_TRUE(offer(2, 200, kNew).has_value()) << "its client may come back";
}

TEST_F(RegistrationsTest, SayAnUnregistrationOfAnUnknownIdOn) {
    const auto op = registrations.withdraw(RegistId("p"), kOrders, {2, 100}, now);
    ASSERT_TRUE(op.has_value());
    EXPECT_EQ(op->publication, nullptr);
}

TEST_F(RegistrationsTest, TellWhatWentLatelyToWhoServesTheSlotNext) {
    registrations.set_slot_count(4);
    const SlotId slot = slot_of(*kOrders, 4);
    const SlotId other(static_cast<std::uint16_t>((slot.raw() + 1) % 4));
    offer(2, 100, kOld);
    const auto left = registrations.withdraw(RegistId("p"), kOrders, {3, 150}, now);
    EXPECT_TRUE(registrations.went_lately({other}).empty());
    const auto told = registrations.went_lately({slot});
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told.front().publication, nullptr);
    EXPECT_EQ(told.front().order, (RegistOrder{3, 150}));
    EXPECT_GT(told.front().owner_seq, left->owner_seq);
    now += Registrations::kGraveAge;
    registrations.forget_old_graves(now);
    EXPECT_TRUE(registrations.went_lately({slot}).empty());
}

TEST_F(RegistrationsTest, ForgetOfVeryManyThatWentSomeAtATime) {
    registrations.set_slot_count(1);
    for (std::size_t i = 0; i <= Registrations::kGravesAtOnce; ++i) {
        (void)registrations.withdraw(RegistId("gone-" + std::to_string(i)), kOrders, {1, 1}, now);
    }
    registrations.forget_old_graves(now + Registrations::kGraveAge);
    EXPECT_EQ(registrations.went_lately({SlotId(0)}).size(), 1U);
    registrations.forget_old_graves(now + Registrations::kGraveAge);
    EXPECT_TRUE(registrations.went_lately({SlotId(0)}).empty());
}

TEST_F(RegistrationsTest, TellWhatWentBeforeItWasKnownHowManySlotsThereAre) {
    const SlotId slot = slot_of(*kOrders, 4);
    offer(2, 100, kOld);
    (void)registrations.withdraw(RegistId("p"), kOrders, {3, 150}, now);
    registrations.set_slot_count(4);
    EXPECT_EQ(registrations.went_lately({slot}).size(), 1U);
}

TEST_F(RegistrationsTest, TellOfWhatWasOnlyLostThatEarlierVersionsAreOver) {
    registrations.set_slot_count(1);
    offer(2, 100, kOld);
    (void)registrations.drop_connection(kOld, now);
    const auto told = registrations.went_lately({SlotId(0)});
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told.front().cause, RemovalCause::closed);
    EXPECT_EQ(told.front().order, (RegistOrder{2, 100}));
    EXPECT_EQ(told.front().owner_seq, 0U) << "its client may be back by now, elsewhere";
}

TEST_F(RegistrationsTest, TellNobodyAsGoneWhatCameAgain) {
    registrations.set_slot_count(1);
    offer(3, 100, kOld);
    (void)registrations.withdraw(RegistId("p"), kOrders, {4, 100}, now);
    offer(5, 100, kOld);
    EXPECT_TRUE(registrations.went_lately({SlotId(0)}).empty());
}

TEST_F(RegistrationsTest, ExpireALeaseThatWasNotRenewed) {
    offer(1, 100, kOld, seconds(10));
    EXPECT_TRUE(registrations.drop_connection(kOld, now).empty()) << "it outlives the connection";
    now += seconds(9);
    EXPECT_TRUE(expire(now).empty());
    registrations.extend_leases(seconds(5));
    now += seconds(5);
    EXPECT_TRUE(expire(now).empty());
    now += seconds(1);
    const auto expired = expire(now);
    ASSERT_EQ(expired.size(), 1U);
    EXPECT_EQ(expired.front().cause, RemovalCause::silent);
}

TEST_F(RegistrationsTest, KeepWhatAReleasedConnectionOwnedForTheGrace) {
    offer(1, 100, kOld);
    registrations.release_connection(kOld, seconds(12), now);
    EXPECT_EQ(registrations.size(), 1U);
    EXPECT_FALSE(offer(1, 100, kNew).has_value()) << "known, but owned from now on";
    EXPECT_EQ(registrations.owned_by(kNew), 1U);
    EXPECT_TRUE(expire(now + seconds(20)).empty());
}

TEST_F(RegistrationsTest, LetGoOfAReleasedConnectionWhenTheGraceIsOver) {
    offer(1, 100, kOld);
    registrations.release_connection(kOld, seconds(12), now);
    EXPECT_TRUE(expire(now + seconds(11)).empty());
    EXPECT_EQ(expire(now + seconds(12)).size(), 1U);
}

TEST_F(RegistrationsTest, CountTheDigestOfEachSlot) {
    registrations.set_slot_count(4);
    offer(1, 100, kOld);
    const SlotId slot = slot_of(*kOrders, 4);
    EXPECT_EQ(registrations.digest(slot).digest, digest_of(RegistId("p"), {1, 100}));
    offer(1, 101, kOld);
    EXPECT_EQ(registrations.digest(slot).digest, digest_of(RegistId("p"), {1, 101}));
    EXPECT_EQ(registrations.digest(slot).count, 1U);
    EXPECT_EQ(registrations.drop_connection(kOld, now).size(), 1U);
    EXPECT_EQ(registrations.digest(slot).digest, SetDigest{});
    EXPECT_EQ(registrations.digest(slot).count, 0U);
}

TEST_F(RegistrationsTest, KeepSuspectsUntilTheirTimeIsOver) {
    offer(1, 100, kOld);
    registrations.suspect_connection(kOld, seconds(60), now);
    EXPECT_EQ(registrations.suspects(), 1U);
    EXPECT_TRUE(expire(now + seconds(59), false).empty());
    EXPECT_EQ(expire(now + seconds(60), false).size(), 1U) << "a suspect is not asked about again";
    EXPECT_EQ(registrations.suspects(), 0U);
}

TEST_F(RegistrationsTest, ASuspectThatIsHeardAgainIsNone) {
    offer(1, 100, kOld);
    registrations.suspect_connection(kOld, seconds(60), now);
    offer(1, 100, kNew);
    EXPECT_EQ(registrations.suspects(), 0U);
    EXPECT_EQ(registrations.owned_by(kNew), 1U);
    EXPECT_TRUE(expire(now + seconds(100)).empty());
}

TEST_F(RegistrationsTest, SuspectsGoWhenAnOperatorConfirms) {
    offer(1, 100, kOld);
    registrations.suspect_connection(kOld, seconds(60), now);
    EXPECT_EQ(registrations.suspects_end(), now + seconds(60));
    const OperatorWord word{.at = NodeId("session-2"), .asked_by = "ana@ops1"};
    const auto gone = registrations.drop_suspects(now, word);
    ASSERT_EQ(gone.size(), 1U);
    EXPECT_TRUE(gone.front().confirmed) << "no other brake asks again";
    EXPECT_EQ(*gone.front().word, word);
    EXPECT_EQ(gone.front().cause, RemovalCause::silent);
    EXPECT_EQ(registrations.size(), 0U);
    EXPECT_EQ(registrations.suspects(), 0U);
}

TEST_F(RegistrationsTest, LeasesThatMayNotGoAreSuspectsForAWhile) {
    offer(1, 100, kOld);
    registrations.release_connection(kOld, seconds(10), now);
    EXPECT_TRUE(expire(now + seconds(10), false).empty());
    EXPECT_EQ(registrations.suspects(), 1U);
    EXPECT_EQ(expire(now + seconds(70), false).size(), 1U);
}

TEST_F(RegistrationsTest, LeasesThatRunOutTogetherAreCountedOneByOne) {
    for (const char* id : {"a", "b", "c", "d", "e"}) {
        auto publication = std::make_shared<Publication>(*state(1, 100));
        publication->id = RegistId(id);
        ASSERT_TRUE(registrations.offer(publication, kOld, seconds(10), now).has_value());
    }
    std::vector<std::size_t> living;
    const auto gone = registrations.expire_leases(
        now + seconds(10),
        [&](std::size_t alive) {
            living.push_back(alive);
            return living.size() <= 2;
        },
        seconds(60));
    EXPECT_EQ(gone.size(), 2U);
    EXPECT_EQ(living, (std::vector<std::size_t>{5, 4, 3, 2, 1})) << "neither gone nor suspected";
    EXPECT_EQ(registrations.suspects(), 3U);
}

TEST_F(RegistrationsTest, SuspectsAreGivenTimeAnewWhenAnOperatorReleasesThem) {
    offer(1, 100, kOld);
    registrations.suspect_connection(kOld, seconds(60), now);
    registrations.extend_suspects(seconds(60), now + seconds(50));
    EXPECT_TRUE(expire(now + seconds(109), false).empty());
    EXPECT_EQ(expire(now + seconds(110), false).size(), 1U);
}

TEST_F(RegistrationsTest, ReleasedWithoutAGraceGoAtTheNextLook) {
    offer(1, 100, kOld);
    registrations.release_connection(kOld, seconds(0), now);
    EXPECT_EQ(expire(now + seconds(1)).size(), 1U);
}

TEST_F(RegistrationsTest, OfClientsThatWereSentElsewhereAreNotAskedAboutWhenTheirTimeIsOver) {
    offer(1, 100, kOld);
    registrations.depart_connection(kOld, seconds(14), now);
    EXPECT_EQ(registrations.size(), 1U);
    EXPECT_EQ(registrations.departed(), 1U);
    EXPECT_TRUE(expire(now + seconds(13), false).empty());
    const auto gone = expire(now + seconds(14), false);
    ASSERT_EQ(gone.size(), 1U);
    EXPECT_EQ(gone[0].cause, RemovalCause::silent);
    EXPECT_FALSE(gone[0].confirmed);
    EXPECT_EQ(registrations.suspects(), 0U);
    EXPECT_EQ(registrations.departed(), 0U);
}

TEST_F(RegistrationsTest, OfWhoCameBackAfterAllAreAskedAboutAgain) {
    offer(1, 100, kOld);
    registrations.depart_connection(kOld, seconds(14), now);
    offer(1, 200, kNew, seconds(30));
    EXPECT_EQ(registrations.departed(), 0U);
    EXPECT_TRUE(expire(now + seconds(30), false).empty());
    EXPECT_EQ(registrations.suspects(), 1U);
}

}  // namespace
}  // namespace muster::session
