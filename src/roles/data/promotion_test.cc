#include "roles/data/test_promotion.h"
#include "store/version_clock.h"

namespace muster::data {
namespace {

using namespace std::chrono_literals;
using test::Ids;
using test::kOrders;
using test::Promotion;
using test::TestSession;

TEST_F(Promotion, CostsDigestsAndTellsNothingWhenNothingDiffers) {
    const std::size_t told = s1.snapshots + s1.changes + s2.snapshots + s2.changes;
    const std::size_t details = s1.details + s2.details;
    world.kill("d1");
    world.assign({"d2", "d3"});
    s1.want(kOrders);
    s2.want(kOrders);
    world.pass(1s);
    EXPECT_TRUE(world.copy("d2").settled);
    EXPECT_EQ(s1.snapshots + s1.changes + s2.snapshots + s2.changes, told);
    EXPECT_EQ(s1.details + s2.details, details);
    EXPECT_EQ(world["d2"].status().doubts, 0U);
}

TEST_F(Promotion, ServesAtOnce) {
    world.kill("d1");
    world.assign({"d2", "d3"});
    s2.want(kOrders);
    s1.publish("b", kOrders);
    EXPECT_EQ(s2.copies["orders"].ids, (Ids{"a", "b"}));
    EXPECT_FALSE(world.copy("d2").settled);
    EXPECT_EQ(world.copy("d3").publications, 2U);
}

// Its copy is as good as before: the leader says so again.
TEST_F(Promotion, StatesAtOnceWhatACopyKnowsThatStoodStillOnce) {
    stand_still({"d2"});
    world.kill("d1");
    TestSession& s3 = world.session("s3");
    world.assign({"d2", "d3"});
    s3.want(kOrders);
    EXPECT_TRUE(s3.copies["orders"].complete);
    EXPECT_EQ(s3.copies["orders"].ids, Ids{"a"});
}

TEST_F(Promotion, MakesNoStatementWithTheCopyOfALeaderThatStoodStillAndDoubtsIt) {
    const auto to_d1 = [](const auto& to) { return to.node == NodeId("d1"); };
    world.stopped = {"d1"};
    world.lose = [&](const auto&, const auto& to, const auto&) { return to_d1(to); };
    world.pass(3s);
    world.stopped = {};
    world.lose = [&](const auto&, const auto& to, const auto& message) {
        return to_d1(to) && std::holds_alternative<msg::SessionHeartbeat>(message);
    };
    world.pass(1s);
    ASSERT_FALSE(world.copy("d1").settled);
    EXPECT_FALSE(world.copy("d2").settled);
    lose_nothing();
    world.kill("d1");
    TestSession& s3 = world.session("s3");
    world.assign({"d2", "d3"});
    s3.want(kOrders);
    EXPECT_EQ(s3.copies["orders"].ids, Ids{"a"});
    EXPECT_FALSE(s3.copies["orders"].complete) << "others may have acted for it";
    world.pass(1s);
    EXPECT_TRUE(s3.copies["orders"].complete);
}

TEST_F(Promotion, StatesAtOnceWhatACopyKnowsThatStoodStillWithItsLeader) {
    stand_still({"d1", "d2"});
    EXPECT_TRUE(world.copy("d1").settled);
    world.kill("d1");
    TestSession& s3 = world.session("s3");
    world.assign({"d2", "d3"});
    s3.want(kOrders);
    EXPECT_TRUE(s3.copies["orders"].complete);
}

TEST_F(Promotion, StatesAtOnceWhatACopyKnowsThatWasCutOffOnce) {
    world.cut("d1", "d2");
    world.pass(6s);
    world.assign({"d1", "d2", "d3"});
    world.heal();
    world.pass(1s);
    world.kill("d1");
    TestSession& s3 = world.session("s3");
    world.assign({"d2", "d3"});
    s3.want(kOrders);
    EXPECT_TRUE(s3.copies["orders"].complete);
    EXPECT_EQ(s3.copies["orders"].ids, Ids{"a"});
}

TEST_F(Promotion, TakesNothingFromWhoKnowsMoreThanTheCopy) {
    lose_entries();
    s1.publish("tail", kOrders);
    lose_nothing();
    EXPECT_EQ(s2.copies["orders"].ids, (Ids{"a", "tail"}));
    world.kill("d1");
    world.assign({"d2", "d3"});
    s2.want(kOrders);
    EXPECT_EQ(s2.copies["orders"].ids, (Ids{"a", "tail"}));
    TestSession& s3 = world.session("s3");
    world.tell_table();
    s3.publish("new", kOrders);
    EXPECT_EQ(s2.copies["orders"].ids, (Ids{"a", "tail", "new"})) << "what is written is told";
    world.pass(2s);
    EXPECT_TRUE(world.copy("d2").settled);
    EXPECT_EQ(s2.copies["orders"].ids, (Ids{"a", "tail", "new"}));
    EXPECT_EQ(world.copy("d2").publications, 3U);
}

TEST_F(Promotion, TellsWhoKnowsMoreThanTheCopyThatItLeft) {
    promote_without_tail();
    ASSERT_EQ(s2.copies["orders"].ids, (Ids{"a", "tail"}));
    s1.withdraw("tail");
    EXPECT_FALSE(world.copy("d2").settled);
    EXPECT_EQ(s2.copies["orders"].ids, Ids{"a"});
}

TEST_F(Promotion, MakesNoStatementToWhoComesBackFromAFork) {
    lose_entries();
    s1.publish("tail", kOrders);
    lose_nothing();
    world.kill("d1");
    TestSession& s3 = world.session("s3");
    world.assign({"d2", "d3"});
    s2.want(kOrders);
    s3.publish("new", kOrders);
    ASSERT_EQ(s2.copies["orders"].ids, (Ids{"a", "tail", "new"}));
    const std::size_t snapshots = s2.snapshots;
    declare(s2, "d2", {.service = kOrders, .heard = s2.copies["orders"].version});
    EXPECT_EQ(s2.snapshots, snapshots) << "d2 does not know that all it knows is all";
    world.pass(2s);
    EXPECT_EQ(s2.copies["orders"].ids, (Ids{"a", "tail", "new"}));
}

// Its copy diverged and one of its clients doubts even that: both versions count.
TEST_F(Promotion, TellsAboveAllThatWasShownToWhoDoubts) {
    const Version shown(s2.copies["orders"].version.raw() + store::kApart);
    s2.copies["orders"].version = shown;
    declare(s2, "d1",
            {.service = kOrders,
             .heard = shown,
             .doubted = {Version(shown.raw() - store::kApart - 1)}});
    world.pass(3s);
    EXPECT_GT(s2.copies["orders"].version, shown);
}

// What it shows diverged, and a client came to it that others told more: the leader knows that
// only.
TEST_F(Promotion, TakesNothingThatIsShownThoughAClientBringsAVersionThatIsKnown) {
    lose_entries();
    s1.publish("tail", kOrders);
    lose_nothing();
    world.kill("d1");
    TestSession& s3 = world.session("s3");
    world.assign({"d2", "d3"});
    s3.want(kOrders);
    const Version known = s3.copies["orders"].version;
    ASSERT_EQ(s3.copies["orders"].ids, Ids{"a"});
    declare(s2, "d2",
            {.service = kOrders, .heard = known, .doubted = {s2.copies["orders"].version}});
    EXPECT_EQ(s2.copies["orders"].ids, (Ids{"a", "tail"}));
    world.pass(3s);
    EXPECT_EQ(s2.copies["orders"].ids, (Ids{"a", "tail"}));
}

TEST_F(Promotion, TellsTheListAboveTheVersionThatWasShownOfAnother) {
    const Version shown = s2.copies["orders"].version;
    const std::size_t snapshots = s2.snapshots;
    declare(s2, "d1", {.service = kOrders, .heard = shown});
    EXPECT_EQ(s2.snapshots, snapshots + 1);
    EXPECT_GT(s2.copies["orders"].version, shown);
}

// It declares what it holds as nothing, for it is no base for differences, but goes on to show it.
TEST_F(Promotion, GivesWhoseCopyDivergedAVersionOfItsOwnUntilAllIsKnown) {
    world.kill("d1");
    world.start("d4");
    TestSession& s3 = world.session("s3");
    world.assign({"d4"});
    s3.want(kOrders);
    s3.publish("new", kOrders);
    ASSERT_EQ(s3.copies["orders"].ids, Ids{"new"});
    declare(s2, "d4", {.service = kOrders, .heard = s2.copies["orders"].version});
    ASSERT_FALSE(world.copy("d4").settled);
    ASSERT_EQ(s2.copies["orders"].ids, (Ids{"a", "new"}));
    EXPECT_NE(s2.copies["orders"].version, s3.copies["orders"].version);
    s3.publish("next", kOrders);
    EXPECT_NE(s2.copies["orders"].version, s3.copies["orders"].version);
    world.pass(2s);
    EXPECT_EQ(s2.copies["orders"].version, s3.copies["orders"].version);
    EXPECT_EQ(s2.copies["orders"].ids, (Ids{"a", "new", "next"}));
}

// It may be cut off: what only it owns was told before, and is missed by its own clients only.
TEST_F(Promotion, MakesNoStatementWithoutASessionThatMerelyFellSilent) {
    promote_without_tail();
    world.pass(60s, {"s1"});
    EXPECT_FALSE(world.copy("d2").settled);
    EXPECT_EQ(s2.copies["orders"].ids, (Ids{"a", "tail"}));
    s1.beat();
    world.pass(2s);
    EXPECT_TRUE(world.copy("d2").settled);
    EXPECT_EQ(s2.copies["orders"].ids, (Ids{"a", "tail"}));
    world.pass(610s, {"s1"});
    EXPECT_EQ(s2.copies["orders"].ids, Ids{}) << "nobody will come any more";
}

TEST_F(Promotion, BringsNothingBackToWhoKnowsThatItLeft) {
    lose_entries();
    s1.withdraw("a");
    lose_nothing();
    EXPECT_EQ(s2.copies["orders"].ids, Ids{});
    world.kill("d1");
    world.assign({"d2", "d3"});
    s2.want(kOrders);
    s2.publish("b", kOrders);
    EXPECT_EQ(s2.copies["orders"].ids, Ids{"b"});
    world.pass(1s);
    EXPECT_EQ(s2.copies["orders"].ids, Ids{"b"});
    EXPECT_EQ(world.copy("d2").publications, 1U);
}

TEST_F(Promotion, RemovesWhatOnlyALostTailHadOnceAllIsKnown) {
    promote_without_tail();
    // Both the leader and the session that published end: nobody can supply it again.
    world.link("d2", "s1", msg::LinkEvent::closed);
    world.pass(9s, {"s1"});
    EXPECT_EQ(s2.copies["orders"].ids, (Ids{"a", "tail"}));
    world.pass(3s, {"s1"});
    EXPECT_EQ(s2.copies["orders"].ids, Ids{});
}

TEST_F(Promotion, GivesOneVersionOneMeaning) {
    lose_entries();
    s1.publish("tail", kOrders);
    lose_nothing();
    world.kill("d1");
    world.assign({"d2", "d3"});
    TestSession& s3 = world.session("s3");
    world.tell_table();
    s2.want(kOrders);
    s3.want(kOrders);
    s3.publish("new", kOrders);
    EXPECT_EQ(s2.copies["orders"].ids, (Ids{"a", "tail", "new"}));
    EXPECT_EQ(s3.copies["orders"].ids, (Ids{"a", "new"}));
    EXPECT_NE(s2.copies["orders"].version, s3.copies["orders"].version);
    world.pass(2s);
    EXPECT_EQ(s2.copies["orders"].version, s3.copies["orders"].version);
    EXPECT_EQ(s3.copies["orders"].ids, (Ids{"a", "tail", "new"}));
}

// Its clients hold the version of the fork, and may not be able to say so.
TEST_F(Promotion, GivesWhoComesFromAForkAVersionAboveIt) {
    promote_without_tail();
    TestSession& s3 = world.session("s3");
    world.tell_table();
    s3.want(kOrders);
    s3.publish("new", kOrders);
    const Version forked = s2.copies["orders"].version;
    TestSession& next_life = world.session("s2", 2);
    world.tell_table();
    next_life.want(kOrders);
    EXPECT_GT(next_life.copies["orders"].version, forked);
    world.pass(2s);
    EXPECT_EQ(s3.copies["orders"].version, next_life.copies["orders"].version);
}

// It would show what has left meanwhile until its digests come round: it is asked at once.
TEST_F(Promotion, TellsWhoMissedTheEndOfItsForkTheListAsSoonAsItSaidWhatItOwns) {
    const Version forked = miss_the_end_of_its_fork();
    lose_nothing();
    ASSERT_EQ(s2.copies["orders"].version, forked);
    s2.want(kOrders);
    EXPECT_EQ(s2.copies["orders"].version, s1.copies["orders"].version);
    EXPECT_EQ(s2.copies["orders"].ids, (Ids{"a", "new", "tail"}));
}

// Nor does it take much when the question is lost.
TEST_F(Promotion, AsksWhoMissedTheEndOfItsForkAgain) {
    miss_the_end_of_its_fork();
    std::size_t lost = 0;
    world.lose = [&](const auto&, const auto& to, const auto& message) {
        return std::holds_alternative<msg::SlotDetailRequest>(message) && to.node == NodeId("s2") &&
               ++lost <= 1;
    };
    s2.want(kOrders);
    ASSERT_EQ(lost, 1U);
    world.pass(500ms, {"s2"});
    EXPECT_EQ(lost, 2U);
    EXPECT_EQ(s2.copies["orders"].version, s1.copies["orders"].version);
}

TEST_F(Promotion, EndsAForkForClientsWhoseSessionEnded) {
    lose_entries();
    s1.publish("tail", kOrders);
    s1.withdraw("tail");
    lose_nothing();
    world.kill("d1");
    world.assign({"d2", "d3"});
    s2.want(kOrders);
    TestSession& s3 = world.session("s3");
    world.tell_table();
    s3.want(kOrders);
    s3.publish("new", kOrders);
    const Version forked = s2.copies["orders"].version;
    ASSERT_GT(forked, s3.copies["orders"].version);
    world.session("s2", 2);  // wants nothing
    world.tell_table();
    world.pass(12s);
    EXPECT_GT(s3.copies["orders"].version, forked);
    EXPECT_EQ(s3.copies["orders"].ids, (Ids{"a", "new"}));
}

TEST_F(Promotion, IsAPlannedMoveWithoutAGapForReaders) {
    world.assign({"d2", "d1", "d3"}, {"d2", "d3"});  // the old leader hears of it first
    ASSERT_FALSE(s1.refused.empty());
    EXPECT_EQ(s1.refused.back().slot_epoch, world.table.slots[0].epoch);
    s1.publish("b", kOrders);
    EXPECT_EQ(s1.acked["not_leader"], 1U);
    world.assign({"d2", "d1", "d3"});
    s1.want(kOrders);
    s2.want(kOrders);
    world.pass(2s);
    EXPECT_EQ(s2.copies["orders"].ids, (Ids{"a", "b"}));
    EXPECT_EQ(world.copy("d1").digest, world.copy("d2").digest) << "the old leader follows";
    EXPECT_EQ(world["d1"].status().slots_synced, 1U);
}

TEST_F(Promotion, TellsOverWhichConnectionItCameWhenOneCloses) {
    const Version before = s2.copies["orders"].version;
    s1.close("a");
    const std::vector<Departure> gone{{RegistId("a"), {1, 0}, connection_of(Publication())}};
    EXPECT_EQ(s2.copies["orders"].departed, gone);
    world.kill("d1");
    world.assign({"d2", "d3"});
    TestSession& s3 = world.session("s3");
    world.tell_table();
    s3.copies["orders"] = {.version = before, .complete = true, .ids = {"a"}, .departed = {}};
    s3.want(kOrders);
    EXPECT_EQ(s3.copies["orders"].departed, gone);
}

TEST_F(Promotion, LetsAnOldLeaderFollowByTheLogWhenItWroteNothingMore) {
    world.sent.clear();
    world.assign({"d2", "d1", "d3"});
    world.pass(1s);
    EXPECT_EQ(world.count<msg::SlotImage>(), 0U);
    EXPECT_EQ(world["d1"].status().slots_synced, 1U);
    EXPECT_EQ(world["d3"].status().slots_synced, 1U);
}

// It lacks the end of the epoch before: with that it is told that there is a new one.
TEST_F(Promotion, NamesItsPositionAnewToACopyThatWasBehind) {
    world.cut("d1", "d3");
    s1.publish("tail", kOrders);
    world.kill("d1");
    std::size_t told = 0;
    world.lose = [&](const auto&, const auto&, const auto& message) {
        const auto* entries = std::get_if<msg::SlotEntries>(&message);
        return entries != nullptr && entries->entries.empty() && ++told == 1;
    };
    world.assign({"d2", "d3"});
    world.pass(2s);
    EXPECT_EQ(world.copy("d3").held, world.copy("d2").held);
    EXPECT_EQ(world.copy("d3").publications, 2U);
    EXPECT_GE(told, 2U) << "once more after it was lost";
    world.sent.clear();
    world.pass(2s);
    EXPECT_EQ(world.count<msg::SlotEntries>(), 0U);
}

TEST_F(Promotion, GivesAnOldLeaderThatWentAnotherWayAnImage) {
    lose_entries();
    s1.publish("tail", kOrders);
    lose_nothing();
    world.assign({"d2", "d1", "d3"}, {"d1"});
    s1.publish("b", kOrders);
    world.assign({"d2", "d1", "d3"});
    world.pass(2s);
    EXPECT_EQ(world.copy("d1").digest, world.copy("d2").digest);
    EXPECT_EQ(world.copy("d1").publications, 3U);
    EXPECT_GE(world.count<msg::SlotImage>(), 3U);
}

TEST_F(Promotion, WithoutAnyCopyShowsNothingAsGone) {
    world.kill("d1");
    world.start("d4");
    world.assign({"d4"});
    s2.want(kOrders);
    EXPECT_EQ(s2.copies["orders"].ids, Ids{"a"});
    world.pass(2s);
    EXPECT_EQ(s2.copies["orders"].ids, Ids{"a"});
    EXPECT_TRUE(world.copy("d4").settled);
}

TEST_F(Promotion, CountsNoSilenceOfSessionsThatHadNoReasonToSpeak) {
    world.pass(700s);  // sessions speak to leaders only, and d2 leads nothing
    world.kill("d1");
    world.assign({"d2", "d3"});
    s2.want(kOrders);
    world.pass(20s, {"s1"});
    EXPECT_EQ(s2.copies["orders"].ids, Ids{"a"});
    world.pass(1s);
    EXPECT_EQ(s2.copies["orders"].ids, Ids{"a"});
}

TEST_F(Promotion, OrphansOfASessionThatEndedGoAfterTheGraceUnlessTakenOver) {
    s1.publish("b", kOrders);
    world.link("d1", "s1", msg::LinkEvent::closed);
    world.pass(5s, {"s1"});
    EXPECT_EQ(world["d1"].status().orphans, 2U);
    s2.publish("b", kOrders);
    s2.publish("b", kOrders);
    s2.publish("b", kOrders);  // with a newer order than at the session that ended
    world.pass(6s, {"s1"});
    EXPECT_EQ(s2.copies["orders"].ids, Ids{"b"});
    EXPECT_EQ(world["d1"].status().orphans, 0U);
}

TEST_F(Promotion, OrphansStayWhileASessionIsNotHeardThatMayHaveTakenThemOver) {
    TestSession& s3 = world.session("s3");
    world.tell_table();
    s3.want(kOrders);
    world.link("d1", "s1", msg::LinkEvent::closed);
    world.cut("s2", "d1");
    world.pass(15s, {"s1"});
    EXPECT_EQ(s3.copies["orders"].ids, Ids{"a"});
    s2.publish("a", kOrders);
    world.heal();
    world.pass(15s, {"s1"});
    EXPECT_EQ(s3.copies["orders"].ids, Ids{"a"});
    EXPECT_EQ(world["d1"].status().orphans, 0U);
}

TEST_F(Promotion, OrphansStayWhileNobodyIsThereToTakeThemOver) {
    world.link("d1", "s1", msg::LinkEvent::closed);
    world.link("d1", "s2", msg::LinkEvent::closed);
    world.pass(60s, {"s1", "s2"});
    EXPECT_EQ(world["d1"].status().orphans, 1U);
    world.pass(3s, {"s1"});
    EXPECT_EQ(world["d1"].status().orphans, 0U);
}

TEST_F(Promotion, OfACopyThatSawASessionEndBeforeItCameBackRemovesNothing) {
    world.link("d2", "s1", msg::LinkEvent::closed);
    world.link("d2", "s1", msg::LinkEvent::up);  // a follower hears nothing else of a session
    world.pass(20s);
    world.kill("d1");
    world.assign({"d2", "d3"});
    s2.want(kOrders);
    world.pass(1s, {"s1"});
    EXPECT_EQ(s2.copies["orders"].ids, Ids{"a"});
}

TEST_F(Promotion, StatesNothingThatAnEarlierLifeOfASessionLeft) {
    world.cut("d1", "d2");
    world.cut("d1", "d3");
    s1.withdraw("a");
    world.pass(6s);
    world.kill("d1");
    TestSession& next_life = world.session("s1", 2);
    next_life.complete = false;
    TestSession& s3 = world.session("s3");
    world.assign({"d2", "d3"});
    s3.want(kOrders);
    world.pass(14s);
    EXPECT_FALSE(s3.copies["orders"].complete);
    next_life.complete = true;
    next_life.beat();
    EXPECT_FALSE(s3.copies["orders"].complete) << "before it went, if only by a moment";
    world.pass(500ms);
    EXPECT_TRUE(s3.copies["orders"].complete);
    EXPECT_EQ(s3.copies["orders"].ids, Ids{});
}

// Its own session let go of it, and may have shown so; another one may own it, and is not heard.
TEST_F(Promotion, MakesNoStatementWithWhatNobodyClaims) {
    world.cut("s2", "d2");
    world.kill("d1");
    world.assign({"d2", "d3"});
    s1.fall_silent("a");
    ASSERT_EQ(world["d2"].status().unclaimed, 1U);
    TestSession& s3 = world.session("s3");
    world.tell_table();
    s3.want(kOrders);
    EXPECT_EQ(s3.copies["orders"].ids, Ids{"a"});
    EXPECT_FALSE(s3.copies["orders"].complete);
    world.heal();
    world.pass(2s);
    EXPECT_EQ(s3.copies["orders"].ids, Ids{});
    EXPECT_TRUE(s3.copies["orders"].complete);
}

TEST_F(Promotion, HoldsWhatASilentSessionOwnsUntilItIsHeardAgain) {
    world.link("d1", "s1", msg::LinkEvent::silent);
    world.pass(60s, {"s1"});
    EXPECT_EQ(world["d1"].status().held, 1U);
    EXPECT_EQ(s2.copies["orders"].ids, Ids{"a"});
    world.pass(1s);
    EXPECT_EQ(world["d1"].status().held, 0U);
    EXPECT_EQ(s2.copies["orders"].ids, Ids{"a"});
    world.pass(610s, {"s1"});
    EXPECT_EQ(s2.copies["orders"].ids, Ids{}) << "nobody will come any more";
}

TEST_F(Promotion, ExpiresNobodyAfterAPauseOfItsOwn) {
    world.link("d1", "s1", msg::LinkEvent::closed);
    world.stopped = {"d1"};
    world.lose = [](const auto&, const auto& to, const auto&) { return to.node == NodeId("d1"); };
    world.pass(20s);
    world.stopped = {};
    lose_nothing();
    world.pass(1s);
    EXPECT_EQ(s2.copies["orders"].ids, Ids{"a"});
    EXPECT_EQ(world["d1"].status().orphans, 0U);
}

TEST_F(Promotion, AsksAllSessionsAgainWhenAClientHoldsWhatAnotherGaveBesideTheLeader) {
    ASSERT_TRUE(world.copy("d1").settled);
    const auto& copy = s2.copies["orders"];
    const std::size_t snapshots = s2.snapshots;
    declare(s2, "d1",
            {.service = kOrders,
             .held = copy.version,
             .heard = copy.version,
             .doubted = {Version((copy.version.raw() - store::kApart) | store::kApart)}});
    EXPECT_FALSE(world.copy("d1").settled);
    EXPECT_EQ(s2.snapshots, snapshots);
    world.pass(3s);
    EXPECT_TRUE(world.copy("d1").settled);
    EXPECT_EQ(s2.snapshots, snapshots + 1) << "once all have supplied, the list";
}

// A table that names d2 was passed over: what was declared by it is not answered by a later one.
TEST_F(Promotion, AnswersADeclarationOfNoOtherEpoch) {
    TestSession& s3 = world.session("s3");
    world.tell_table();
    const Epoch next(world.table.epoch.raw() + 1);
    const Epoch after(next.raw() + 1);
    world.table.epoch = next;  // told to nobody
    declare(s3, "d2", {.service = kOrders, .held = {}, .slot_epoch = next});
    EXPECT_TRUE(s3.copies["orders"].ids.empty());
    world.assign({"d2", "d3"});
    ASSERT_EQ(world.table.slots[0].epoch, after);
    EXPECT_TRUE(s3.copies["orders"].ids.empty());
    declare(s3, "d2", {.service = kOrders, .held = {}, .slot_epoch = next}, 11);
    EXPECT_TRUE(s3.copies["orders"].ids.empty()) << "an epoch that is over";
    EXPECT_EQ(s3.refused.back().slot_epoch, after);
    declare(s3, "d2", {.service = kOrders, .held = {}, .slot_epoch = after}, 12);
    EXPECT_EQ(s3.copies["orders"].ids, Ids{"a"});
}

TEST_F(Promotion, AnswersADeclarationOnceTheTableOfItsEpochIsThere) {
    TestSession& s3 = world.session("s3");
    world.tell_table();
    const Epoch next(world.table.epoch.raw() + 1);
    declare(s3, "d2", {.service = kOrders, .held = {}, .slot_epoch = next});
    EXPECT_TRUE(s3.copies["orders"].ids.empty());
    world.assign({"d2", "d3"});
    ASSERT_EQ(world.table.slots[0].epoch, next);
    EXPECT_EQ(s3.copies["orders"].ids, Ids{"a"});
}

TEST_F(Promotion, GoesAboveWhatAnOldLeaderGaveLast) {
    s1.publish("b", kOrders);
    lose_entries();
    for (const char* id : {"c", "d", "e"}) {
        s1.publish(id, kOrders);
    }
    const Version shown = s1.copies["orders"].version;
    world.cut("d1", "d2");
    world.cut("d1", "d3");
    lose_nothing();
    world.assign({"d2", "d3", "d1"}, {"d1"});
    TestSession& next_life = world.session("s1", 2);
    world.heal();
    world.assign({"d2", "d3", "d1"});
    world.pass(500ms, {"s1", "s2"});
    next_life.want(kOrders);
    EXPECT_GT(next_life.copies["orders"].version, shown);
}

}  // namespace
}  // namespace muster::data
