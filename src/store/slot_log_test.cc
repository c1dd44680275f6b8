#include "store/slot_log.h"

#include <gtest/gtest.h>

#include "store/version_clock.h"

namespace muster::store {
namespace {

const ServicePtr kOrders = std::make_shared<const Service>(Service{.data_id = "orders"});
const ServicePtr kStock = std::make_shared<const Service>(Service{.data_id = "stock"});

LogEntry step(const ServicePtr& service, std::uint64_t from, std::uint64_t to,
              std::vector<Effect> effects = {}) {
    return {.service = service,
            .from = Version(from),
            .to = Version(to),
            .effects = std::move(effects)};
}

Effect put(const std::string& id, bool visible = true) {
    Publication publication{.id = RegistId(id), .service = kOrders};
    return {.publication = std::make_shared<const Publication>(publication), .visible = visible};
}

Effect gone(const std::string& id) {
    return {.id = RegistId(id), .visible = true};
}

LogPosition at(std::uint64_t epoch, std::uint64_t number) {
    return {Epoch(epoch), number};
}

TEST(SlotLog, GivesTheChangesOfOneServiceSinceAVersionOldestFirst) {
    SlotLog log(10);
    log.append(step(kOrders, 0, 5));
    log.append(step(kStock, 0, 6));
    log.append(step(kOrders, 5, 7));
    log.append(step(kOrders, 7, 9));
    const auto changes = log.since(*kOrders, Version(5));
    ASSERT_EQ(changes.size(), 2U);
    EXPECT_EQ(changes.front().to, Version(7));
    EXPECT_EQ(changes.back().to, Version(9));
    EXPECT_EQ(log.since(*kStock, Version(0)).size(), 1U);
}

TEST(SlotLog, GivesNothingForAVersionItNeverSaw) {
    SlotLog log(10);
    log.append(step(kOrders, 2, 5));
    EXPECT_TRUE(log.since(*kOrders, Version(1)).empty());
    EXPECT_TRUE(log.since(*kOrders, Version(3)).empty());
    EXPECT_TRUE(log.since(*kOrders, Version(5)).empty());
    EXPECT_TRUE(log.since(*kStock, Version(2)).empty());
}

TEST(SlotLog, KeepsTheNewestUpToItsCapacity) {
    SlotLog log(3);
    for (std::uint64_t i = 0; i < 5; ++i) {
        log.append(step(kOrders, i, i + 1));
    }
    EXPECT_FALSE(log.reaches(1));
    EXPECT_TRUE(log.reaches(2));
    EXPECT_EQ(log.newest(), 5U);
    EXPECT_EQ(log.since(*kOrders, Version(2)).size(), 3U);
    EXPECT_TRUE(log.since(*kOrders, Version(1)).empty());
}

TEST(SlotLog, CountsEffectsAgainstItsCapacityAndKeepsTheNewestEntryWhateverItsSize) {
    SlotLog log(3);
    log.append(step(kOrders, 0, 1));
    log.append(step(kOrders, 1, 2, {put("a"), put("b"), put("c"), put("d")}));
    EXPECT_TRUE(log.reaches(1));
    EXPECT_FALSE(log.reaches(0));
}

TEST(SlotLog, CountsLongContentAsManyEffects) {
    SlotLog log(5000);
    auto publication = std::make_shared<Publication>();
    publication->boxes = {std::string(1 << 20, 'x')};
    for (std::uint64_t i = 0; i < 10; ++i) {
        log.append(step(kOrders, i, i + 1, {Effect{.publication = publication, .visible = true}}));
    }
    EXPECT_FALSE(log.reaches(5));
    EXPECT_TRUE(log.reaches(6)) << "four of a MiB each";
    EXPECT_EQ(log.read(6, 1000).size(), 1U);
    EXPECT_EQ(log.read(6, 2500).size(), 2U);
}

TEST(SlotLog, ForgetsAServiceWhoseLastChangeFellOut) {
    SlotLog log(2);
    log.append(step(kStock, 0, 1));
    log.append(step(kOrders, 0, 2));
    log.append(step(kOrders, 2, 3));
    EXPECT_TRUE(log.since(*kStock, Version(0)).empty());
    log.append(step(kStock, 1, 4));
    EXPECT_EQ(log.since(*kStock, Version(1)).size(), 1U);
    EXPECT_TRUE(log.since(*kStock, Version(0)).empty());
}

TEST(SlotLog, ShowsSubscribersOnlyWhatTheySee) {
    const auto change =
        change_of(step(kOrders, 1, 2, {put("a"), put("b", false), put("c"), gone("a")}));
    ASSERT_EQ(change.upserts.size(), 1U);
    EXPECT_EQ(change.upserts.front()->id, RegistId("c"));
    ASSERT_EQ(change.removals.size(), 1U);
    EXPECT_EQ(change.removals.front().id, RegistId("a"));
}

TEST(SlotLog, NumbersPositionsAnewInEachEpochAndFindsThem) {
    SlotLog log(10);
    log.begin(Epoch(3));
    log.append(step(kOrders, 0, 1));
    log.append(step(kOrders, 1, 2));
    log.begin(Epoch(5));
    EXPECT_EQ(log.position(), at(5, 0));
    log.append(step(kOrders, 2, 3));
    EXPECT_EQ(log.position(), at(5, 1));
    EXPECT_EQ(log.find(at(3, 0)), 0U);
    EXPECT_EQ(log.find(at(3, 2)), 2U);
    EXPECT_EQ(log.find(at(5, 0)), 2U) << "the beginning of an epoch is the end of the one before";
    EXPECT_EQ(log.find(at(5, 1)), 3U);
    EXPECT_EQ(log.read(1, 100).size(), 1U) << "entries of one epoch at a time";
    EXPECT_EQ(log.epoch_after(1), Epoch(3));
    EXPECT_EQ(log.epoch_after(2), Epoch(5));
}

TEST(SlotLog, DoesNotFindACopyThatWentAnotherWay) {
    SlotLog log(10);
    log.begin(Epoch(3));
    log.append(step(kOrders, 0, 1));
    log.begin(Epoch(5));
    log.append(step(kOrders, 1, 2));
    EXPECT_EQ(log.find(at(3, 2)), std::nullopt) << "written after the way parted";
    EXPECT_EQ(log.find(at(4, 0)), std::nullopt) << "a leader this copy never followed";
    EXPECT_EQ(log.find(at(5, 2)), std::nullopt);
    EXPECT_EQ(log.find({}), std::nullopt) << "an empty copy";
}

TEST(SlotLog, IsNobodysWhileItsEpochIsZero) {
    SlotLog log(10);
    log.begin(Epoch(3));
    log.append(step(kOrders, 0, 1));
    log.begin(Epoch());
    log.append(step(kOrders, 1, 2));
    log.begin(Epoch(5));
    EXPECT_EQ(log.find(at(3, 1)), 1U);
    EXPECT_EQ(log.find(at(3, 2)), std::nullopt);
    EXPECT_EQ(log.since(*kOrders, Version(1)).size(), 1U);
}

TEST(SlotLog, IsOfTheNextEpochAfterItWasNobodys) {
    SlotLog log(10);
    log.begin(Epoch(3));
    log.append(step(kOrders, 0, 1));
    log.begin(Epoch());
    EXPECT_EQ(log.find(log.position()), std::nullopt);
    log.append(step(kOrders, 1, 2, {put("a")}));
    log.begin(Epoch(5));
    log.append(step(kOrders, 2, 3, {put("b")}));
    EXPECT_EQ(log.position(), at(5, 2));
    EXPECT_EQ(log.find(at(5, 1)), 2U);
    EXPECT_EQ(log.epoch_after(1), Epoch(5));
    EXPECT_EQ(log.read(1, 10).size(), 2U);
    EXPECT_EQ(log.since(*kOrders, Version(1)).size(), 2U);
}

// What the leader gave meanwhile is not known, here as on a copy that is told the log.
TEST(SlotLog, LeavesAGapWhereItWasNobodys) {
    const Version apart(3 * kApart);
    SlotLog log(1);
    log.begin(Epoch(3));
    log.append(step(kOrders, 0, 1));
    SlotLog copy = log;
    log.begin(Epoch());
    log.append(step(kOrders, 1, apart.raw()));
    log.begin(Epoch(5));
    copy.begin(Epoch(5));
    copy.append(step(kOrders, 1, apart.raw()));
    for (SlotLog* one : {&log, &copy}) {
        one->append(step(kOrders, apart.raw(), 4 * kApart));
        one->append(step(kOrders, 4 * kApart, 4 * kApart + 1));
        EXPECT_EQ(one->gaps(), (std::vector<VersionGap>{{Version(1), Version(4 * kApart)}}));
        EXPECT_EQ(one->position(), at(5, 3));
    }
}

TEST(SlotLog, GoesOnFromThePositionOfAnImage) {
    SlotLog log(10);
    log.reset(at(5, 7), Version(90));
    EXPECT_EQ(log.position(), at(5, 7));
    log.append(step(kOrders, 80, 91));
    EXPECT_EQ(log.position(), at(5, 8));
    EXPECT_EQ(log.find(at(5, 7)), 0U);
    EXPECT_EQ(log.find(at(5, 6)), std::nullopt);
    EXPECT_TRUE(log.knows(*kOrders, Version(70), Version(91))) << "older than the image";
    EXPECT_FALSE(log.knows(*kOrders, Version(85), Version(80))) << "the datum never got there";
}

TEST(SlotLog, TellsAVersionItHadFromOneItNeverHad) {
    SlotLog log(10);
    log.begin(Epoch(1));
    log.append(step(kOrders, 0, 5));
    log.append(step(kOrders, 5, 8));
    EXPECT_TRUE(log.knows(*kOrders, Version(5), Version(8)));
    EXPECT_TRUE(log.knows(*kOrders, Version(8), Version(8)));
    EXPECT_FALSE(log.knows(*kOrders, Version(7), Version(8)));
    EXPECT_FALSE(log.knows(*kOrders, Version(9), Version(8)));
}

TEST(SlotLog, BelievesNoVersionThatALostLeaderMayHaveGiven) {
    SlotLog log(1);
    log.reset(at(3, 4), Version(9));
    log.append(step(kOrders, 9, 10));
    log.begin(Epoch(5));
    EXPECT_FALSE(log.knows(*kOrders, Version(20), Version(10)));
    log.append(step(kOrders, 10, 50));
    log.append(step(kOrders, 50, 60));
    EXPECT_TRUE(log.knows(*kOrders, Version(9), Version(60))) << "older than all remembered";
    EXPECT_FALSE(log.knows(*kOrders, Version(20), Version(60))) << "the leader before gave it";
    SlotLog image(10);
    image.reset(at(5, 2), Version(60), log.gaps());
    EXPECT_TRUE(image.knows(*kOrders, Version(9), Version(60)));
    EXPECT_FALSE(image.knows(*kOrders, Version(20), Version(60)));
    EXPECT_TRUE(image.knows(*kOrders, Version(55), Version(60)));
}

TEST(SlotLog, PassesAnOpenGapOn) {
    SlotLog log(10);
    log.append(step(kOrders, 0, 10));
    log.begin(Epoch(5));
    SlotLog image(10);
    image.reset(at(5, 0), Version(10), log.gaps());
    image.append(step(kOrders, 10, 50));
    image.append(step(kStock, 0, 51));
    EXPECT_EQ(image.gaps(), (std::vector<VersionGap>{{Version(10), Version(50)}}));
}

TEST(SlotLog, BelievesNoOldVersionThatWasGivenBesideTheLeader) {
    SlotLog log(10);
    log.reset(at(5, 7), Version(kApart * 9));
    EXPECT_TRUE(log.knows(*kOrders, Version(kApart * 2), Version(kApart * 9)));
    EXPECT_FALSE(log.knows(*kOrders, Version(kApart * 3), Version(kApart * 9)));
}

TEST(SlotLog, TellsADrainedPublicationAsGoneAndARestoredOneAsThereAgain) {
    Effect drained = put("a");
    drained.mark = std::make_shared<const Mark>(Mark{.kind = Mark::Kind::drained});
    const DatumChange away = change_of(step(kOrders, 1, 2, {drained, put("b")}));
    ASSERT_EQ(away.removals.size(), 1U);
    EXPECT_EQ(away.removals.front().id, RegistId("a"));
    EXPECT_TRUE(away.removals.front().connection) << "it may come back as it is";
    EXPECT_EQ(away.upserts.size(), 1U);
    Effect back = put("a");
    back.mark = std::make_shared<const Mark>(Mark{Mark::Kind::restored, 1'000, 2'000});
    const DatumChange here = change_of(step(kOrders, 2, 3, {back}));
    ASSERT_EQ(here.upserts.size(), 1U);
    EXPECT_TRUE(Ramp::read(here.upserts.front()->attributes));
}

}  // namespace
}  // namespace muster::store
