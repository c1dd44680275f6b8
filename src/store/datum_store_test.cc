#include "store/datum_store.h"

#include <gtest/gtest.h>

namespace muster::store {
namespace {

using std::chrono::seconds;

const ServicePtr kOrders = std::make_shared<const Service>(Service{.data_id = "orders"});
constexpr OwnerId kFirstLife = owner_of(1, Incarnation(1));
constexpr OwnerId kSecondLife = owner_of(1, Incarnation(2));
constexpr OwnerId kOther = owner_of(2, Incarnation(1));

struct Said {
    std::int64_t version = 1;
    std::int64_t timestamp = 100;
    std::string box = "a";
    OwnerId owner = kFirstLife;
    std::uint64_t seq = 1;
    std::uint64_t listed_at = 0;  // zero: it is said as news
};

class DatumStoreTest : public ::testing::Test {
protected:
    // Kept from the first write on.
    void ask_digest() {
        if (auto* datum = store.find(*kOrders); datum != nullptr) {
            static_cast<void>(store.shown_digest(*datum));
        }
    }
    void TearDown() override {
        for (auto& [name, datum] : store.data()) {
            SetDigest shown;
            for (const PublicationPtr& publication : settled_snapshot(store, datum).publications) {
                shown.add(shown_digest_of(*publication));
            }
            EXPECT_EQ(store.shown_digest(datum), shown) << name;
        }
    }

    WriteOutcome put(const Said& said) {
        auto publication = std::make_shared<Publication>();
        publication->id = RegistId("p");
        publication->service = kOrders;
        publication->order = {said.version, said.timestamp};
        publication->boxes = {said.box};
        ask_digest();
        return store.apply({.id = publication->id,
                            .service = kOrders,
                            .publication = publication,
                            .order = publication->order,
                            .owner = said.owner,
                            .owner_seq = said.seq,
                            .said_at = said.listed_at > 0 ? said.listed_at : said.seq - 1},
                           now);
    }
    WriteOutcome remove(RemovalCause cause, const Said& said) {
        return store.apply({.id = RegistId("p"),
                            .service = kOrders,
                            .order = {said.version, said.timestamp},
                            .cause = cause,
                            .owner = said.owner,
                            .owner_seq = said.seq},
                           now);
    }
    std::string box() {
        const auto* datum = store.find(*kOrders);
        return datum == nullptr || datum->entries.empty()
                   ? ""
                   : std::string(datum->entries.begin()->publication->boxes.front());
    }

    DatumStore store;
    MonoTime now{seconds(1)};
};

TEST_F(DatumStoreTest, KeepsTheNewestStateByTheOrderOfItsClient) {
    EXPECT_EQ(put({.version = 2, .box = "b"}), WriteOutcome::changed);
    EXPECT_EQ(put({.version = 1, .timestamp = 900, .box = "a", .seq = 2}), WriteOutcome::ignored);
    EXPECT_EQ(put({.version = 2, .timestamp = 101, .box = "c", .seq = 3}), WriteOutcome::changed);
    EXPECT_EQ(box(), "c");
    EXPECT_EQ(store.publication_count(), 1U);
}

TEST_F(DatumStoreTest, CallsTheSameContentUnderANewerOrderRefreshed) {
    EXPECT_EQ(put({}), WriteOutcome::changed);
    EXPECT_EQ(put({.timestamp = 101, .seq = 2}), WriteOutcome::refreshed);
    EXPECT_EQ(put({.timestamp = 101, .seq = 2}), WriteOutcome::ignored) << "said twice";
}

TEST_F(DatumStoreTest, RemovesAsClosedOnlyWhatTheOwnerStillOwns) {
    put({});
    put({.timestamp = 101, .owner = kOther, .seq = 1});
    EXPECT_EQ(remove(RemovalCause::closed, {.timestamp = 101, .seq = 9}), WriteOutcome::ignored);
    EXPECT_EQ(remove(RemovalCause::closed, {.timestamp = 101, .owner = kOther, .seq = 2}),
              WriteOutcome::changed);
}

TEST_F(DatumStoreTest, RemovesAsClosedEarlierVersionsWhoeverHoldsThem) {
    put({});
    put({.timestamp = 90, .owner = kSecondLife, .seq = 1});
    EXPECT_EQ(remove(RemovalCause::closed, {.version = 2, .owner = kOther, .seq = 0}),
              WriteOutcome::changed)
        << "its client had gone on there";
    EXPECT_EQ(store.digest_of_owner(kSecondLife).count, 0U);
    EXPECT_EQ(put({.seq = 9}), WriteOutcome::superseded);
    EXPECT_EQ(put({.version = 2, .timestamp = 101, .seq = 9}), WriteOutcome::changed);
}

TEST_F(DatumStoreTest, EndsNothingOfTheSameVersionByTheMemoryOfAClosing) {
    put({});
    EXPECT_EQ(remove(RemovalCause::closed, {.seq = 0}), WriteOutcome::ignored);
    EXPECT_EQ(remove(RemovalCause::closed, {.owner = kOther, .seq = 0}), WriteOutcome::ignored);
    EXPECT_EQ(box(), "a");
}

TEST_F(DatumStoreTest, KnowsNoLessOfWhatWentWhenItIsSaidAgain) {
    put({});
    remove(RemovalCause::closed, {.seq = 2});
    EXPECT_TRUE(store.tombstones().connection(RegistId("p")));
    EXPECT_EQ(remove(RemovalCause::closed, {.seq = 0}), WriteOutcome::ignored);
    EXPECT_TRUE(store.tombstones().connection(RegistId("p")));
}

TEST_F(DatumStoreTest, RemovesAsClosedWhatAnEarlierLifeOfTheOwnerHeld) {
    put({.seq = 9});
    EXPECT_EQ(remove(RemovalCause::closed, {.timestamp = 101, .owner = kSecondLife, .seq = 1}),
              WriteOutcome::changed);
    EXPECT_EQ(put({.seq = 9}), WriteOutcome::ignored) << "the earlier life's late word";
}

TEST_F(DatumStoreTest, RemovesAsClosedNothingThatWasWrittenLater) {
    put({.seq = 5});
    EXPECT_EQ(remove(RemovalCause::closed, {.seq = 4}), WriteOutcome::ignored);
    EXPECT_EQ(box(), "a");
}

TEST_F(DatumStoreTest, LetsNothingBackThatIsNotNewerThanItsLeaving) {
    put({});
    EXPECT_EQ(remove(RemovalCause::left, {.version = 2, .seq = 2}), WriteOutcome::changed);
    EXPECT_EQ(put({.seq = 1}), WriteOutcome::superseded);
    EXPECT_EQ(put({.version = 2, .owner = kOther, .seq = 9}), WriteOutcome::superseded);
    EXPECT_EQ(put({.version = 2, .owner = kSecondLife, .seq = 1}), WriteOutcome::superseded);
    EXPECT_EQ(put({.version = 3, .seq = 3}), WriteOutcome::changed);
}

TEST_F(DatumStoreTest, LetsTheSameStateBackAfterALostConnection) {
    put({});
    EXPECT_EQ(remove(RemovalCause::closed, {.seq = 2}), WriteOutcome::changed);
    EXPECT_EQ(put({.seq = 1}), WriteOutcome::ignored) << "an older message of the same session";
    EXPECT_EQ(put({.owner = kOther, .seq = 1}), WriteOutcome::changed);
}

TEST_F(DatumStoreTest, RemembersARemovalThatOvertookItsRegistration) {
    EXPECT_EQ(remove(RemovalCause::left, {.version = 2, .seq = 2}), WriteOutcome::remembered);
    EXPECT_EQ(put({.seq = 1}), WriteOutcome::superseded);
    EXPECT_EQ(box(), "");
}

TEST_F(DatumStoreTest, RemembersAClosingThatOvertookItsRegistration) {
    EXPECT_EQ(remove(RemovalCause::closed, {.seq = 2}), WriteOutcome::remembered);
    EXPECT_EQ(put({.seq = 1}), WriteOutcome::ignored);
    EXPECT_EQ(put({.seq = 3}), WriteOutcome::changed);
}

TEST_F(DatumStoreTest, PutsNoClosingOverALeaving) {
    remove(RemovalCause::left, {.seq = 2});
    remove(RemovalCause::closed, {.seq = 3});
    EXPECT_EQ(put({.owner = kOther, .seq = 9}), WriteOutcome::superseded);
}

TEST_F(DatumStoreTest, BelievesALaterLifeOfTheSessionAboutAClockThatWasSetBack) {
    put({.timestamp = 100});
    EXPECT_EQ(put({.timestamp = 40, .owner = kOther}), WriteOutcome::ignored);
    EXPECT_EQ(put({.timestamp = 40, .owner = kSecondLife}), WriteOutcome::refreshed);
    EXPECT_EQ(put({.version = 0, .timestamp = 999, .owner = kSecondLife, .seq = 2}),
              WriteOutcome::ignored);
    for (const OwnerId gone : {kOther, kSecondLife}) {
        store.remove_owner(gone, RemovalCause::silent, now,
                           [](const Write&, const PublicationPtr&, bool) {});
    }
    EXPECT_EQ(put({.timestamp = 20, .owner = OwnerId(kSecondLife.raw() + 1)}),
              WriteOutcome::changed);
}

TEST_F(DatumStoreTest, CountsTheDigestOfEachOwner) {
    put({});
    const auto digest = digest_of(RegistId("p"), {1, 100});
    EXPECT_EQ(store.digest_of_owner(kFirstLife).digest, digest);
    EXPECT_EQ(store.digest_of_owner(kFirstLife).count, 1U);
    put({.version = 2, .owner = kOther});
    EXPECT_EQ(store.digest_of_owner(kFirstLife).count, 0U);
    EXPECT_EQ(store.digest_of_owner(kFirstLife).digest, SetDigest{});
    EXPECT_EQ(store.digest_of_owner(kOther).digest, digest_of(RegistId("p"), {2, 100}));
}

TEST_F(DatumStoreTest, KeepsWhatAnotherSessionHoldsTooUntilTheLastLetsGo) {
    put({.seq = 5});
    EXPECT_EQ(put({.owner = kOther}), WriteOutcome::refreshed);
    const auto digest = digest_of(RegistId("p"), {1, 100});
    EXPECT_EQ(store.digest_of_owner(kFirstLife).digest, digest) << "both hold it";
    EXPECT_EQ(store.digest_of_owner(kOther).digest, digest);
    EXPECT_EQ(store.digest(), digest) << "but it is one";
    EXPECT_EQ(put({.seq = 5, .listed_at = 9}), WriteOutcome::ignored) << "known";
    EXPECT_EQ(remove(RemovalCause::silent, {.owner = kOther, .seq = 2}), WriteOutcome::refreshed);
    EXPECT_EQ(box(), "a");
    EXPECT_EQ(store.digest_of_owner(kOther).count, 0U);
    EXPECT_EQ(remove(RemovalCause::closed, {.seq = 6}), WriteOutcome::changed);
    EXPECT_EQ(box(), "");
    EXPECT_EQ(store.digest(), SetDigest{});
}

TEST_F(DatumStoreTest, FallsBackToTheSameVersionUnderAClockThatWasSetBack) {
    put({.timestamp = 100});
    EXPECT_EQ(put({.timestamp = 40, .owner = kOther}), WriteOutcome::ignored);
    EXPECT_EQ(store.digest_of_owner(kOther).digest, digest_of(RegistId("p"), {1, 40}));
    const auto& entry = *store.find(*kOrders, RegistId("p"));
    EXPECT_EQ(store.held_by(kFirstLife, entry)->order, (RegistOrder{1, 100}));
    EXPECT_EQ(store.held_by(kOther, entry)->order, (RegistOrder{1, 40})) << "its own state";
    EXPECT_EQ(store.held_by(kSecondLife, entry), nullptr);
    EXPECT_EQ(remove(RemovalCause::closed, {.timestamp = 100, .seq = 2}), WriteOutcome::refreshed);
    EXPECT_EQ(store.digest(), digest_of(RegistId("p"), {1, 40}));
}

TEST_F(DatumStoreTest, TellsWhoHoldsWhatItsClientChangedOrWithdrewElsewhere) {
    put({});
    put({.version = 2, .box = "b", .owner = kOther});
    EXPECT_EQ(put({.listed_at = 7}), WriteOutcome::superseded);
    EXPECT_EQ(store.digest_of_owner(kFirstLife).count, 0U);
    remove(RemovalCause::left, {.version = 3, .owner = kOther, .seq = 2});
    EXPECT_EQ(put({.listed_at = 8}), WriteOutcome::superseded);
    EXPECT_EQ(box(), "");
}

TEST_F(DatumStoreTest, TakesAWithdrawalFromAllHolders) {
    put({});
    put({.owner = kOther});
    EXPECT_EQ(remove(RemovalCause::left, {.version = 2, .owner = kOther, .seq = 2}),
              WriteOutcome::changed);
    EXPECT_EQ(box(), "");
    EXPECT_TRUE(store.owners().empty());
}

TEST_F(DatumStoreTest, PassesOnWhatOthersHoldWhenASessionIsRemoved) {
    put({});
    put({.owner = kOther});
    std::vector<Write> told;
    const auto note = [&](const Write& effect, const PublicationPtr& before, bool) {
        EXPECT_NE(before, nullptr);
        told.push_back(effect);
    };
    store.remove_owner(kOther, RemovalCause::silent, now, note);
    ASSERT_EQ(told.size(), 1U);
    EXPECT_NE(told.front().publication, nullptr);
    EXPECT_EQ(told.front().owner, kFirstLife);
    put({.owner = kOther, .seq = 2});
    store.remove_owner(kFirstLife, RemovalCause::silent, now, note);
    EXPECT_EQ(told.size(), 1U) << "it owned nothing any more";
    EXPECT_EQ(store.owners().size(), 1U);
}

TEST_F(DatumStoreTest, BelievesASessionThatItHoldsWhatWasTakenFromItInSilence) {
    put({.seq = 3});
    store.remove_owner(kFirstLife, RemovalCause::silent, now,
                       [](const Write&, const PublicationPtr&, bool) {});
    EXPECT_EQ(put({.seq = 3}), WriteOutcome::ignored) << "an older message";
    EXPECT_EQ(put({.seq = 3, .listed_at = 3}), WriteOutcome::changed);
}

TEST_F(DatumStoreTest, TellsWhatWentFromAService) {
    remove(RemovalCause::closed, {.seq = 1});
    EXPECT_TRUE(store.tombstones().departed(*kOrders).empty()) << "it was not there";
    put({.seq = 2});
    remove(RemovalCause::closed, {.seq = 3});
    const std::vector<Departure> closed{{RegistId("p"), {1, 100}, connection_of(Publication())}};
    EXPECT_EQ(store.tombstones().departed(*kOrders), closed);
    EXPECT_EQ(store.tombstones().connection(RegistId("p")), connection_of(Publication()));
    remove(RemovalCause::closed, {.seq = 3});
    EXPECT_EQ(store.tombstones().departed(*kOrders), closed) << "the same message again";
    put({.seq = 4});
    remove(RemovalCause::left, {.version = 2, .seq = 5});
    const std::vector<Departure> left{{RegistId("p"), {2, 100}}};
    EXPECT_EQ(store.tombstones().departed(*kOrders), left);
    EXPECT_EQ(store.tombstones().connection(RegistId("p")), std::nullopt);
    EXPECT_EQ(unsettled_snapshot(store, *store.find(*kOrders)).departed, left);
    store.sweep(now + Tombstones::kAge);
    EXPECT_TRUE(store.tombstones().departed(*kOrders).empty());
}

TEST_F(DatumStoreTest, NamesWhatAnOwnerDidNotList) {
    put({.seq = 4});
    EXPECT_TRUE(store.unlisted(kFirstLife, 3, {}).empty()) << "written after the list";
    EXPECT_EQ(store.unlisted(kFirstLife, 4, {}).size(), 1U);
    EXPECT_TRUE(store.unlisted(kFirstLife, 4, {.ids = {RegistId("p")}}).empty());
    EXPECT_TRUE(store.unlisted(kOther, 4, {}).empty());
}

TEST(Listed, MissesWhatItWouldNameOnly) {
    const Listed part{.after = RegistId("b"), .more = true, .ids = {RegistId("d"), RegistId("f")}};
    for (const char* id : {"a", "b", "d", "f", "g"}) {
        EXPECT_FALSE(part.misses(RegistId(id))) << id;
    }
    for (const char* id : {"c", "e"}) {
        EXPECT_TRUE(part.misses(RegistId(id))) << id;
    }
    const Listed rest{.after = RegistId("b"), .ids = {RegistId("d")}};
    EXPECT_FALSE(rest.misses(RegistId("a")));
    EXPECT_TRUE(rest.misses(RegistId("g"))) << "nothing follows";
    EXPECT_TRUE(Listed{}.misses(RegistId("a"))) << "there is nothing";
    const Listed strange{.after = RegistId("b"), .more = true};
    EXPECT_FALSE(strange.misses(RegistId("c"))) << "it says nothing";
}

TEST_F(DatumStoreTest, RemovesAllOfAnOwner) {
    put({});
    int told = 0;
    store.remove_owner(kOther, RemovalCause::silent, now,
                       [&](const Write&, const PublicationPtr&, bool) { ++told; });
    EXPECT_EQ(told, 0);
    store.remove_owner(kFirstLife, RemovalCause::silent, now,
                       [&](const Write&, const PublicationPtr&, bool) { ++told; });
    EXPECT_EQ(told, 1);
    EXPECT_EQ(store.publication_count(), 0U);
}

TEST_F(DatumStoreTest, ForgetsTombstonesAndUnusedDataInTime) {
    put({});
    remove(RemovalCause::left, {.version = 2, .seq = 2});
    EXPECT_EQ(store.tombstones().size(), 1U);
    store.sweep(now + Tombstones::kAge - seconds(1));
    EXPECT_EQ(store.tombstones().size(), 1U);
    store.sweep(now + Tombstones::kAge);
    EXPECT_EQ(store.tombstones().size(), 0U);
}

TEST_F(DatumStoreTest, ForgetsOfVeryManyTombstonesSomeAtATime) {
    Tombstones tombstones;
    for (const char* id : {"a", "b", "c"}) {
        tombstones.bury({.removal = {.id = RegistId(id), .service = kOrders}, .since = now});
    }
    const MonoTime later = now + Tombstones::kAge;
    EXPECT_EQ(tombstones.sweep(later, 2), 2U);
    EXPECT_EQ(tombstones.find(RegistId("b")), nullptr) << "the oldest first";
    EXPECT_NE(tombstones.find(RegistId("c")), nullptr);
    EXPECT_EQ(tombstones.sweep(later, 2), 1U);
    EXPECT_EQ(tombstones.size(), 0U);
}

TEST_F(DatumStoreTest, NamesDataNobodyPublishesOrAsksFor) {
    store.find_or_make(kOrders).interested = 1;
    EXPECT_TRUE(store.unused().empty());
    store.find(*kOrders)->interested = 0;
    EXPECT_EQ(store.unused().size(), 1U);
    put({});
    EXPECT_TRUE(store.unused().empty());
    store.forget(*kOrders);
    EXPECT_EQ(store.publication_count(), 1U) << "what is published is not forgotten";
    remove(RemovalCause::left, {.version = 2, .seq = 2});
    store.forget(*kOrders);
    EXPECT_TRUE(store.data().empty());
}

TEST_F(DatumStoreTest, InstallsWhatAnotherCopyHeldWhateverIsKnown) {
    put({.version = 5});
    auto older = std::make_shared<Publication>();
    older->id = RegistId("p");
    older->service = kOrders;
    older->order = {1, 1};
    older->boxes = {"older"};
    const Write effect{.id = older->id,
                       .service = kOrders,
                       .publication = older,
                       .order = older->order,
                       .owner = kOther,
                       .owner_seq = 9};
    EXPECT_TRUE(store.install(effect, now));
    EXPECT_FALSE(store.install(effect, now)) << "again";
    EXPECT_EQ(box(), "older");
    EXPECT_EQ(store.digest_of_owner(kFirstLife).count, 0U);
    EXPECT_EQ(store.digest(), digest_of(RegistId("p"), {1, 1}));
    const Write gone{.id = older->id,
                     .service = kOrders,
                     .publication = nullptr,
                     .order = {7, 0},
                     .cause = RemovalCause::left,
                     .owner = kOther,
                     .owner_seq = 10};
    EXPECT_TRUE(store.install(gone, now));
    now += seconds(1);
    EXPECT_FALSE(store.install(gone, now));
    EXPECT_EQ(store.publication_count(), 0U);
    EXPECT_EQ(put({.version = 6}), WriteOutcome::superseded) << "remembered as gone";
    int stones = 0;
    store.tombstones().visit(0, [&](std::uint64_t burial, const Tombstone& stone) {
        EXPECT_EQ(burial, 2U) << "the first was replaced";
        EXPECT_EQ(stone.removal.order, (RegistOrder{7, 0}));
        EXPECT_EQ(stone.since, now);
        ++stones;
        return true;
    });
    EXPECT_EQ(stones, 1);
}

TEST_F(DatumStoreTest, RemembersWhatAnotherCopySawGoToo) {
    DatumStore before;
    const Write gone{.id = RegistId("p"),
                     .service = kOrders,
                     .order = {2, 0},
                     .cause = RemovalCause::left,
                     .owner = kOther,
                     .owner_seq = 1};
    before.apply(gone, now);
    put({.version = 1});
    EXPECT_EQ(store.remember_too(before.tombstones()).size(), 1U);
    EXPECT_EQ(store.tombstones().find(RegistId("p")), nullptr) << "it is here";
    remove(RemovalCause::closed, {.version = 1, .seq = 2});
    EXPECT_EQ(store.remember_too(before.tombstones()).size(), 1U);
    EXPECT_TRUE(store.remember_too(before.tombstones()).empty()) << "no news";
    EXPECT_EQ(put({.version = 1, .seq = 3}), WriteOutcome::superseded);
    EXPECT_EQ(put({.version = 3, .seq = 4}), WriteOutcome::changed);
}

const MarkPtr kDrained = std::make_shared<const Mark>(Mark{.kind = Mark::Kind::drained});

TEST_F(DatumStoreTest, ShowsNothingThatIsDrainedUntilItIsRestored) {
    put({});
    store.set_mark(*kOrders, RegistId("p"), kDrained);
    EXPECT_TRUE(settled_snapshot(store, *store.find(*kOrders)).publications.empty());
    EXPECT_EQ(store.drained_count(), 1U);
    const auto unsettled = unsettled_snapshot(store, *store.find(*kOrders));
    ASSERT_EQ(unsettled.departed.size(), 1U) << "who has it shall drop it";
    EXPECT_TRUE(unsettled.departed.front().connection) << "it may come back as it is";
    store.set_mark(
        *kOrders, RegistId("p"),
        std::make_shared<const Mark>(Mark{Mark::Kind::restored, 1'700'000'000'000, 30'000}));
    const auto back = settled_snapshot(store, *store.find(*kOrders));
    ASSERT_EQ(back.publications.size(), 1U);
    EXPECT_EQ(Ramp::read(back.publications.front()->attributes),
              (Ramp{{1'700'000'000'000}, seconds(30)}));
    EXPECT_EQ(back.publications.front()->boxes, Boxes{"a"});
    EXPECT_EQ(store.find(*kOrders)->entries.begin()->publication->attributes.size(), 0U)
        << "what the session owns stays the same";
    store.set_mark(*kOrders, RegistId("p"), nullptr);
    const auto plain = settled_snapshot(store, *store.find(*kOrders));
    EXPECT_EQ(plain.publications.front()->attributes.size(), 0U);
    EXPECT_EQ(store.drained_count(), 0U);
}

TEST_F(DatumStoreTest, TakesNoMarkOfWhatIsNotHere) {
    store.set_mark(*kOrders, RegistId("p"), kDrained);
    put({});
    store.set_mark(*kOrders, RegistId("q"), kDrained);
    EXPECT_EQ(store.drained_count(), 0U);
    EXPECT_EQ(settled_snapshot(store, *store.find(*kOrders)).publications.size(), 1U);
}

TEST_F(DatumStoreTest, KeepsAMarkThroughStatesAndOwnersUntilTheRegistrationEnds) {
    put({});
    store.set_mark(*kOrders, RegistId("p"), kDrained);
    put({.version = 2, .box = "b", .seq = 2});
    put({.version = 2, .timestamp = 101, .box = "b", .owner = kOther, .seq = 1});
    EXPECT_TRUE(is_drained(store.mark_of(RegistId("p"))));
    EXPECT_EQ(remove(RemovalCause::left, {.version = 3, .owner = kOther, .seq = 2}),
              WriteOutcome::changed);
    EXPECT_EQ(store.mark_of(RegistId("p")), nullptr);
    EXPECT_EQ(store.drained_count(), 0U);
    put({.version = 4, .seq = 9});
    EXPECT_EQ(store.mark_of(RegistId("p")), nullptr);
}

TEST_F(DatumStoreTest, KeepsAMarkOfWhatClosedForItsReturnAndNotOfWhatItsClientWithdrew) {
    put({});
    store.set_mark(*kOrders, RegistId("p"), kDrained);
    EXPECT_EQ(remove(RemovalCause::closed, {.seq = 2}), WriteOutcome::changed);
    EXPECT_EQ(store.drained_count(), 0U);
    EXPECT_EQ(put({.owner = kOther}), WriteOutcome::changed) << "its client came to another";
    EXPECT_TRUE(is_drained(store.mark_of(RegistId("p"))));
    store.set_mark(*kOrders, RegistId("p"), nullptr);
    EXPECT_EQ(remove(RemovalCause::closed, {.owner = kOther, .seq = 2}), WriteOutcome::changed);
    EXPECT_EQ(put({.seq = 3}), WriteOutcome::changed);
    EXPECT_EQ(store.mark_of(RegistId("p")), nullptr) << "it was restored before";
}

TEST_F(DatumStoreTest, KeepsAMarkOfWhatClosedElsewhereToo) {
    put({});
    store.set_mark(*kOrders, RegistId("p"), kDrained);
    remove(RemovalCause::closed, {.seq = 2});
    EXPECT_EQ(remove(RemovalCause::closed, {.timestamp = 101, .owner = kOther, .seq = 2}),
              WriteOutcome::remembered);
    EXPECT_EQ(put({.timestamp = 102, .seq = 3}), WriteOutcome::changed);
    EXPECT_TRUE(is_drained(store.mark_of(RegistId("p"))));
    remove(RemovalCause::closed, {.timestamp = 102, .seq = 4});
    remove(RemovalCause::left, {.version = 2, .owner = kOther, .seq = 3});
    EXPECT_EQ(put({.version = 3, .seq = 5}), WriteOutcome::changed);
    EXPECT_EQ(store.mark_of(RegistId("p")), nullptr) << "its client withdrew it";
}

TEST_F(DatumStoreTest, ForgetsInAnInstalledCopyWhatWasSaidBeforeItCameBack) {
    put({});
    store.set_mark(*kOrders, RegistId("p"), kDrained);
    remove(RemovalCause::closed, {.seq = 2});
    auto publication = std::make_shared<Publication>();
    publication->id = RegistId("p");
    publication->service = kOrders;
    publication->order = {1, 101};
    store.install({.id = publication->id,
                   .service = kOrders,
                   .publication = publication,
                   .order = publication->order,
                   .owner = kOther,
                   .owner_seq = 1},
                  now);
    EXPECT_EQ(store.mark_of(RegistId("p")), nullptr) << "the leader tells it";
    remove(RemovalCause::closed, {.timestamp = 101, .owner = kOther, .seq = 2});
    EXPECT_EQ(put({.timestamp = 102, .seq = 3}), WriteOutcome::changed);
    EXPECT_EQ(store.mark_of(RegistId("p")), nullptr);
}

TEST_F(DatumStoreTest, KeepsAMarkOfWhatClosedInAnInstalledCopyToo) {
    put({});
    store.set_mark(*kOrders, RegistId("p"), kDrained);
    EXPECT_TRUE(store.install({.id = RegistId("p"),
                               .service = kOrders,
                               .order = {1, 100},
                               .cause = RemovalCause::silent,
                               .owner = kFirstLife,
                               .owner_seq = 2},
                              now));
    DatumStore other;
    store.tombstones().visit(0, [&](std::uint64_t, const Tombstone& stone) {
        other.install_tombstone(stone);
        return true;
    });
    for (DatumStore* copy : {&store, &other}) {
        auto publication = std::make_shared<Publication>();
        publication->id = RegistId("p");
        publication->service = kOrders;
        publication->order = {1, 101};
        EXPECT_EQ(copy->apply({.id = publication->id,
                               .service = kOrders,
                               .publication = publication,
                               .order = publication->order,
                               .owner = kOther,
                               .owner_seq = 1},
                              now),
                  WriteOutcome::changed);
        EXPECT_TRUE(is_drained(copy->mark_of(RegistId("p"))));
    }
}

}  // namespace
}  // namespace muster::store
