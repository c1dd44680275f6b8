#include "roles/session/datum_copies.h"

#include <gtest/gtest.h>

#include "store/version_clock.h"

namespace muster::session {
namespace {

const ServicePtr kOrders = std::make_shared<const Service>(Service{.data_id = "orders"});

PublicationPtr publication(const std::string& id, const std::string& zone = "a",
                           RegistOrder order = {}) {
    auto made = std::make_shared<Publication>();
    made->id = RegistId(id);
    made->order = order;
    made->service = kOrders;
    made->zone = zone;
    return made;
}

PublicationPtr over(const std::string& address, RegistOrder order) {
    auto made = std::make_shared<Publication>(*publication("p", "a", order));
    made->client_address = address;
    return made;
}

DatumSnapshot snapshot(std::uint64_t version, bool settled, std::vector<PublicationPtr> list) {
    return {.service = kOrders,
            .version = Version(version),
            .settled = settled,
            .publications = std::move(list)};
}

DatumChange change(std::uint64_t from, std::uint64_t to, std::vector<PublicationPtr> upserts,
                   std::vector<Departure> removals = {}) {
    return {.service = kOrders,
            .from = Version(from),
            .to = Version(to),
            .upserts = std::move(upserts),
            .removals = std::move(removals)};
}

class DatumCopiesTest : public ::testing::Test {
protected:
    DatumCopies copies{3, 7};
    DatumCopy& copy = copies.find_or_make(kOrders);
};

TEST_F(DatumCopiesTest, FoldChangesThatFollow) {
    EXPECT_EQ(copies.fold(snapshot(5, true, {publication("p")})), Folded::changed);
    EXPECT_EQ(copies.fold(change(5, 6, {publication("q")})), Folded::changed);
    EXPECT_EQ(copies.fold(change(5, 6, {publication("q")})), Folded::nothing) << "told twice";
    EXPECT_EQ(copies.fold(change(8, 9, {publication("r")})), Folded::gap);
    EXPECT_EQ(copy.version, Version(6));
    EXPECT_EQ(copy.publications.size(), 2U);
    EXPECT_TRUE(copy.complete);
}

SetDigest digest_over(const std::vector<PublicationPtr>& list) {
    SetDigest digest;
    for (const PublicationPtr& shown : list) {
        digest.add(shown_digest_of(*shown));
    }
    return digest;
}

DatumChange stating(DatumChange told, const std::vector<PublicationPtr>& list) {
    told.digest = digest_over(list);
    return told;
}

TEST_F(DatumCopiesTest, AreComparedWithWhatTheLeaderSaysOfTheResult) {
    const auto p = publication("p");
    const auto q = publication("q");
    const auto newer = publication("q", "b", {.version = 2});
    copies.fold(snapshot(5, true, {p}));
    EXPECT_EQ(copies.fold(stating(change(5, 6, {q}), {p, q})), Folded::changed);
    EXPECT_EQ(copies.fold(stating(change(6, 7, {newer}), {p, newer})), Folded::changed);
    EXPECT_EQ(copies.fold(stating(change(7, 8, {}, {{.id = p->id}}), {newer})), Folded::changed);
    EXPECT_EQ(copies.fold(stating(change(8, 9, {p}), {p, q})), Folded::differs);
    EXPECT_EQ(copy.version, Version(9)) << "what comes next is above what was told";
    const auto item = declaration_of(copy);
    EXPECT_EQ(item.held, Version{});
    EXPECT_EQ(item.heard, Version(9));
    EXPECT_EQ(copies.fold(stating(change(9, 10, {}), {p, q})), Folded::changed)
        << "the list is on its way";
    EXPECT_EQ(copies.fold(snapshot(11, true, {p, q})), Folded::changed);
    EXPECT_EQ(copies.fold(stating(change(11, 12, {}), {p, q})), Folded::changed);
}

TEST_F(DatumCopiesTest, AreNotComparedWhileTheyMayHoldMore) {
    const auto p = publication("p");
    const auto q = publication("q");
    copies.fold(snapshot(5, false, {p}));
    EXPECT_EQ(copies.fold(stating(change(5, 6, {}), {})), Folded::changed) << "not all was told";
    copies.fold(snapshot(7, true, {p}));
    copies.fold(snapshot(8, false, {q}));
    EXPECT_EQ(copies.fold(stating(change(8, 9, {}), {q})), Folded::changed) << "p is untold";
}

TEST_F(DatumCopiesTest, AreDeclaredWithAllThatWasShown) {
    copies.fold(snapshot(5, true, {publication("p")}));
    EXPECT_EQ(declaration_of(copy).held, Version(5));
    EXPECT_EQ(declaration_of(copy).heard, Version(5));
    EXPECT_TRUE(declaration_of(copy).complete);
    copy.heard = Version(7);
    EXPECT_EQ(declaration_of(copy).heard, Version(7));
    copy.heard = Version(4);
    copy.doubt(Version(2));
    copy.doubt(Version(3));
    EXPECT_EQ(declaration_of(copy).doubted, (std::vector{Version(2), Version(3)}));
    EXPECT_FALSE(declaration_of(copy).complete) << "not to who doubts";
    copy.diverged = true;
    EXPECT_EQ(declaration_of(copy).held, Version()) << "no base for differences";
    EXPECT_EQ(declaration_of(copy).heard, Version(5)) << "the list comes above it";
    EXPECT_EQ(declaration_of(copy).doubted, (std::vector{Version(2), Version(3)}));
}

// The leader may know the highest only.
TEST_F(DatumCopiesTest, AreDeclaredWithEachVersionThatWasShown) {
    copies.fold(snapshot(5, true, {publication("p")}));
    copy.diverged = true;
    EXPECT_TRUE(DatumCopies::note_held(copy, Version(7)));
    EXPECT_TRUE(DatumCopies::note_held(copy, Version(9)));
    EXPECT_EQ(declaration_of(copy).heard, Version(9));
    EXPECT_EQ(declaration_of(copy).doubted, (std::vector{Version(5), Version(7)}));
    copies.fold(snapshot(8, false, {}));
    EXPECT_EQ(declaration_of(copy).doubted, std::vector{Version(8)}) << "7 is passed";
    copies.fold(snapshot(10, true, {}));
    EXPECT_TRUE(declaration_of(copy).doubted.empty());
}

TEST_F(DatumCopiesTest, RememberTheNewestOfTheVersionsThatClientsHold) {
    copies.fold(snapshot(5, true, {}));
    for (std::uint64_t i = 0; i < 3 * DatumCopy::kSeenMax; ++i) {
        EXPECT_TRUE(DatumCopies::note_held(copy, Version(10 + i)));
        copy.doubt(Version(i));
    }
    const auto item = declaration_of(copy);
    EXPECT_EQ(item.doubted.size(), 2 * DatumCopy::kSeenMax - 1) << "one of them is the highest";
}

TEST_F(DatumCopiesTest, KnowWhichVersionsNeverLedHere) {
    copies.fold(snapshot(5, true, {publication("p")}));
    EXPECT_TRUE(DatumCopies::knows(copy, Version())) << "who holds nothing";
    EXPECT_TRUE(DatumCopies::knows(copy, Version(3))) << "what was before the first is believed";
    copies.fold(change(5, 7, {publication("q")}));
    copies.fold(change(7, 9, {publication("r")}));
    EXPECT_TRUE(DatumCopies::knows(copy, Version(5)));
    EXPECT_FALSE(DatumCopies::knows(copy, Version(6)));
    EXPECT_TRUE(DatumCopies::knows(copy, Version(7)));
    EXPECT_FALSE(DatumCopies::knows(copy, Version(8)));
    EXPECT_TRUE(DatumCopies::knows(copy, Version(9)));
    EXPECT_TRUE(DatumCopies::knows(copy, Version(10))) << "it may lead here yet";
    copies.fold(change(9, 11, {}));
    EXPECT_TRUE(DatumCopies::knows(copy, Version(3))) << "nor what is forgotten";
}

TEST_F(DatumCopiesTest, TellFromWhichVersionOnTheyShowNoneOfSome) {
    const std::vector<RegistId> p{RegistId("p")};
    const std::vector<RegistId> both{RegistId("p"), RegistId("q")};
    EXPECT_EQ(DatumCopies::without_since(copy, p), std::nullopt) << "nothing is known";
    copies.fold(snapshot(5, true, {publication("p"), publication("q")}));
    EXPECT_EQ(DatumCopies::without_since(copy, p), std::nullopt);
    copies.fold(change(5, 6, {}, {{.id = RegistId("p")}}));
    copies.fold(change(6, 7, {publication("r")}));
    EXPECT_EQ(DatumCopies::without_since(copy, p), Version(6));
    EXPECT_EQ(DatumCopies::without_since(copy, both), std::nullopt) << "one is still there";
    copies.fold(change(7, 8, {}, {{.id = RegistId("q")}}));
    EXPECT_EQ(DatumCopies::without_since(copy, both), Version(8));
    copies.fold(change(8, 9, {}));
    copies.fold(change(9, 10, {}));
    EXPECT_EQ(DatumCopies::without_since(copy, p), Version(7)) << "as far as is remembered";
}

TEST_F(DatumCopiesTest, VouchForNoListThatWasToldBeforeTheirFirst) {
    copies.fold(snapshot(5, true, {publication("q")}));
    EXPECT_EQ(DatumCopies::without_since(copy, {RegistId("p")}), Version(5));
}

TEST_F(DatumCopiesTest, ShowWhatWasTakenOutOfTheListsAndCameBackAsItWas) {
    const auto p = over("1.1.1.1:1", {1, 0});
    const Departure hidden{.id = p->id, .order = p->order, .connection = connection_of(*p)};
    copies.fold(snapshot(5, true, {p}));
    copies.fold(change(5, 6, {}, {hidden}));
    EXPECT_TRUE(copy.publications.empty());
    copies.fold(snapshot(7, false, {p}));
    EXPECT_TRUE(copy.publications.empty()) << "a leader with an old copy";
    EXPECT_FALSE(copies.fold_own(copy, p->id, p, p->order)) << "nor when nobody is there";
    copies.fold(change(7, 8, {p}));
    EXPECT_EQ(copy.publications.size(), 1U);
    copies.fold(snapshot(9, false, {p}));
    EXPECT_EQ(copy.publications.size(), 1U);
}

TEST_F(DatumCopiesTest, CountTheStepsSinceAVersion) {
    copies.fold(snapshot(5, true, {}));
    copies.fold(change(5, 6, {publication("p")}));
    copies.fold(change(6, 7, {publication("q")}));
    EXPECT_EQ(DatumCopies::steps_since(copy, Version(7)), 0U);
    EXPECT_EQ(DatumCopies::steps_since(copy, Version(5)), 2U);
    EXPECT_EQ(DatumCopies::steps_since(copy, Version()), 3U);
    EXPECT_EQ(DatumCopies::steps_since(copy, Version(4)), std::nullopt) << "it never was here";
    copies.fold(change(7, 8, {publication("r")}));
    EXPECT_EQ(DatumCopies::steps_since(copy, Version()), std::nullopt) << "too long ago";
}

TEST_F(DatumCopiesTest, TakeAwayOnlyBySettledSnapshots) {
    copies.fold(snapshot(5, true, {publication("p")}));
    EXPECT_EQ(copies.fold(snapshot(6, false, {publication("q")})), Folded::changed);
    EXPECT_EQ(copy.publications.size(), 2U);
    EXPECT_EQ(copies.fold(snapshot(7, true, {publication("q")})), Folded::changed);
    EXPECT_EQ(copy.publications.size(), 1U);
}

TEST_F(DatumCopiesTest, KeepWhatIsNewerThanALeaderKnowsThatIsNotSettled) {
    copies.fold(snapshot(5, true, {publication("p", "a", {2, 0})}));
    copies.fold(snapshot(6, false, {publication("p", "a", {1, 0})}));
    EXPECT_EQ((*copy.publications.begin())->order, (RegistOrder{2, 0}));
    copies.fold(change(6, 7, {publication("p", "a", {1, 0})}));
    EXPECT_EQ((*copy.publications.begin())->order, (RegistOrder{2, 0}));
    copies.fold(snapshot(8, true, {publication("p", "a", {1, 0})}));
    EXPECT_EQ((*copy.publications.begin())->order, (RegistOrder{1, 0}));
}

// Its client had said it again, which subscribers are not told.
TEST_F(DatumCopiesTest, AreNotToldAgainOfAStateBeforeTheOneThatClosed) {
    copies.fold(snapshot(5, true, {publication("q", "a", {2, 100})}));
    copies.fold(change(
        5, 6, {}, {{RegistId("q"), {2, 200}, connection_of(*publication("q", "a", {2, 100}))}}));
    copies.fold(snapshot(7, false, {publication("q", "a", {2, 100})}));
    EXPECT_TRUE(copy.publications.empty());
    copies.fold(snapshot(8, false, {publication("q", "a", {2, 300})}));
    EXPECT_EQ(copy.publications.size(), 1U) << "it was said since";
}

TEST_F(DatumCopiesTest, TakeAwayWhatIsSaidToHaveDeparted) {
    copies.fold(snapshot(5, true, {publication("p", "a", {2, 0}), publication("q", "a", {2, 0})}));
    auto told = snapshot(6, false, {});
    told.departed = {{RegistId("p"), {3, 0}}, {RegistId("q"), {1, 0}}};
    EXPECT_EQ(copies.fold(told), Folded::changed);
    ASSERT_EQ(copy.publications.size(), 1U) << "of q something newer is known";
    EXPECT_EQ((*copy.publications.begin())->id, RegistId("q"));
    told.version = Version(7);
    told.departed = {{RegistId("q"), {2, 0}, connection_of(*publication("q")) + 1}};
    copies.fold(told);
    EXPECT_EQ(copy.publications.size(), 1U) << "another connection was closed";
    told.version = Version(8);
    told.departed.front().connection = connection_of(*publication("q"));
    copies.fold(told);
    EXPECT_TRUE(copy.publications.empty());
    told = snapshot(9, false, {publication("q", "a", {2, 0})});
    copies.fold(told);
    EXPECT_TRUE(copy.publications.empty()) << "who tells it has not heard that it closed";
}

TEST_F(DatumCopiesTest, TakeNothingThatLeftFromALeaderThatIsNotSettled) {
    copies.fold(snapshot(5, true, {publication("p", "a", {2, 0}), publication("q", "a", {2, 0})}));
    copies.fold(change(
        5, 6, {},
        {{RegistId("p"), {2, 0}}, {RegistId("q"), {2, 0}, connection_of(*publication("q"))}}));
    copies.fold(snapshot(7, false, {publication("p", "a", {2, 0}), publication("q", "a", {2, 0})}));
    EXPECT_TRUE(copy.publications.empty()) << "it has an older copy";
    copies.fold(snapshot(8, false, {publication("p", "a", {3, 0}), publication("q", "a", {1, 0})}));
    ASSERT_EQ(copy.publications.size(), 1U) << "p came anew, q is older still";
    EXPECT_EQ((*copy.publications.begin())->id, RegistId("p"));
    copies.fold(snapshot(9, true, {publication("q", "a", {2, 0})}));
    EXPECT_EQ(copy.publications.size(), 1U) << "who knows all is believed";
    copies.fold(snapshot(10, true, {}));
    copies.fold(snapshot(11, false, {publication("q", "a", {2, 0})}));
    EXPECT_TRUE(copy.publications.empty()) << "it was known that it is gone";
}

TEST_F(DatumCopiesTest, RememberWhatWentThoughSomethingBeforeItIsMissing) {
    copies.fold(snapshot(5, true, {publication("p", "a", {2, 0}), publication("q", "a", {2, 0})}));
    const std::uint64_t connection = connection_of(*publication("q"));
    copies.note_departed(
        change(6, 7, {}, {{RegistId("p"), {2, 0}}, {RegistId("q"), {2, 0}, connection}}));
    EXPECT_EQ(copy.publications.size(), 2U);
    EXPECT_EQ(copy.version, Version(5)) << "nothing is shown of it";
    copies.note_departed(change(7, 8, {publication("q", "a", {2, 0})}));
    copies.fold(snapshot(9, false, {}));
    ASSERT_EQ(copy.publications.size(), 1U) << "q came back over the same connection";
    EXPECT_EQ((*copy.publications.begin())->id, RegistId("q"));
    auto told = snapshot(10, false, {});
    told.departed = {{RegistId("q"), {2, 0}, connection}};
    copies.note_departed(told);
    copies.note_departed(snapshot(11, false, {publication("q", "a", {2, 0})}));
    copies.fold(snapshot(12, false, {}));
    EXPECT_TRUE(copy.publications.empty()) << "a leader that is not settled may have an old copy";
    copies.note_departed(snapshot(13, true, {publication("q", "a", {2, 0})}));
    copies.fold(snapshot(14, false, {publication("q", "a", {2, 0})}));
    EXPECT_EQ(copy.publications.size(), 1U) << "who knows all is believed";
}

TEST_F(DatumCopiesTest, TakeNothingBackThatWasRenewedBeforeItLeft) {
    copies.fold(snapshot(5, true, {publication("p", "a", {1, 100})}));
    copies.fold(change(5, 6, {}, {{RegistId("p"), {2, 300}}}));
    copies.fold(snapshot(7, false, {publication("p", "a", {1, 200})}));
    EXPECT_TRUE(copy.publications.empty()) << "sessions are not told of the same state again";
}

TEST_F(DatumCopiesTest, RememberWhatLeftLastWhateverAnOlderCopySays) {
    copies.fold(snapshot(5, true, {over("10.0.0.1:3", {8, 0})}));
    copies.fold(
        change(5, 6, {}, {{RegistId("p"), {8, 0}, connection_of(*over("10.0.0.1:3", {}))}}));
    for (const auto& older :
         {Departure{RegistId("p"), {6, 0}, 17}, Departure{RegistId("p"), {6, 0}}}) {
        auto told = snapshot(copy.version.raw() + 1, false, {over("10.0.0.1:2", {7, 0})});
        told.departed = {older};
        copies.fold(told);
        EXPECT_TRUE(copy.publications.empty());
    }
}

TEST_F(DatumCopiesTest, TakeNothingFromAChangeThatIsOlderThanWhatWent) {
    copies.fold(snapshot(5, true, {publication("p", "a", {2, 0}), publication("q", "a", {2, 0})}));
    copies.fold(change(
        5, 6, {},
        {{RegistId("p"), {2, 0}}, {RegistId("q"), {2, 0}, connection_of(*publication("q"))}}));
    copies.fold(change(6, 7, {publication("p", "a", {1, 9}), publication("q", "a", {1, 9})}));
    EXPECT_TRUE(copy.publications.empty()) << "a new leader heard first of who was left behind";
    EXPECT_EQ(copy.version, Version(7));
    copies.fold(change(7, 8, {publication("p", "a", {3, 0}), publication("q", "a", {2, 0})}));
    EXPECT_EQ(copy.publications.size(), 2U) << "their clients said it again";
}

TEST_F(DatumCopiesTest, ShowWhoCameBackOverAnotherConnection) {
    const auto first = over("10.0.0.1:1", {2, 0});
    copies.fold(snapshot(5, true, {first}));
    copies.fold(change(5, 6, {}, {{RegistId("p"), {2, 0}, connection_of(*first)}}));
    copies.fold(snapshot(7, false, {first}));
    EXPECT_TRUE(copy.publications.empty());
    copies.fold(snapshot(8, false, {over("10.0.0.1:2", {2, 0})}));
    EXPECT_EQ(copy.publications.size(), 1U);
}

TEST_F(DatumCopiesTest, TakeNothingBackThatMovedToAnotherConnectionBeforeItClosed) {
    const auto moved = over("10.0.0.1:2", {1, 200});
    copies.fold(snapshot(5, true, {over("10.0.0.1:1", {1, 100})}));
    copies.fold(change(5, 6, {}, {{RegistId("p"), {1, 200}, connection_of(*moved)}}));
    copies.fold(snapshot(7, false, {moved}));
    EXPECT_TRUE(copy.publications.empty());
}

TEST_F(DatumCopiesTest, RememberABoundedNumberOfThoseThatLeft) {
    constexpr std::size_t kMany = DatumCopy::Departed::kMax + 1;
    DatumCopy::Departed departed;
    for (std::size_t i = 0; i < kMany; ++i) {
        departed.left(RegistId("p" + std::to_string(i)), {2, 0});
    }
    EXPECT_FALSE(departed.holds(*publication("p0", "a", {2, 0}))) << "the oldest is forgotten";
    EXPECT_TRUE(departed.holds(*publication("p1", "a", {2, 0})));
}

TEST_F(DatumCopiesTest, AreCompleteOnlyAfterASettledSnapshot) {
    copies.fold(snapshot(5, false, {}));
    EXPECT_FALSE(DatumCopies::view(copy, Scope::global, "")->complete);
    copies.fold(snapshot(6, true, {}));
    EXPECT_TRUE(DatumCopies::view(copy, Scope::global, "")->complete);
}

TEST_F(DatumCopiesTest, DoubtNothingAnyMoreOnceAllIsTold) {
    copies.fold(snapshot(5, true, {publication("p")}));
    copy.doubt(Version(4));
    EXPECT_EQ(copies.fold(snapshot(5, false, {publication("p")})), Folded::nothing);
    EXPECT_EQ(copy.doubted, std::vector{Version(4)});
    EXPECT_EQ(copies.fold(snapshot(5, true, {publication("p")})), Folded::changed)
        << "a change to this version may have come just before";
    EXPECT_TRUE(copy.doubted.empty());
    EXPECT_EQ(copies.fold(snapshot(5, true, {publication("p")})), Folded::nothing);
}

TEST_F(DatumCopiesTest, ShowOwnWordAtVersionsOfTheirOwnWhenNobodyElseCanTell) {
    const auto own = [&](const std::string& id, std::int64_t order, bool gone = false) {
        auto made = std::make_shared<Publication>();
        made->id = RegistId(id);
        made->service = kOrders;
        made->order = {.version = 1, .timestamp_ms = order};
        return copies.fold_own(copy, made->id, gone ? nullptr : made, made->order);
    };
    EXPECT_FALSE(own("p", 1)) << "what nothing was told of stays unknown";
    EXPECT_EQ(copy.version, Version());
    copies.fold(snapshot(5, true, {publication("old")}));
    EXPECT_FALSE(copy.diverged);
    copy.heard = Version(8);
    EXPECT_TRUE(own("p", 2));
    EXPECT_EQ(copy.version, Version(store::kApart + 7))
        << "above what a client has, beside the leader, with our number";
    EXPECT_TRUE(store::given_apart(copy.version)) << "a leader that hears of it asks all anew";
    EXPECT_TRUE(copy.diverged && copy.complete);
    EXPECT_EQ(copy.publications.size(), 2U);
    EXPECT_FALSE(own("p", 2)) << "nothing new";
    EXPECT_FALSE(own("p", 1, true)) << "said before";
    EXPECT_TRUE(own("p", 3));
    const auto for_strays = DatumCopies::stray_view(copy, Scope::global, "");
    ASSERT_EQ(for_strays->publications.size(), 1U) << "what was told before is not in it";
    EXPECT_EQ(for_strays->publications[0]->order.timestamp_ms, 3);
    EXPECT_EQ(for_strays->version, copy.version);
    EXPECT_FALSE(for_strays->complete);
    EXPECT_FALSE(DatumCopies::knows(copy, copy.version)) << "some may hold that list at it";
    EXPECT_TRUE(own("p", 3, true));
    EXPECT_FALSE(own("p", 3, true));
    EXPECT_FALSE(own("p", 2)) << "said before it was taken back";
    EXPECT_EQ(copy.version, Version(5 * store::kApart + 7));
    EXPECT_EQ(copy.publications.size(), 1U);
    const auto told = DatumCopies::told_view(copy, Scope::global, "");
    EXPECT_EQ(told->version, Version(5)) << "what may be shown to who cannot say what it holds";
    EXPECT_EQ(told->publications.size(), 1U);
    EXPECT_EQ(copies.fold(snapshot(200'000, false, {})), Folded::changed);
    EXPECT_TRUE(copy.diverged) << "who tells it does not know all";
    EXPECT_FALSE(copy.told) << "its version is a leader's";
    EXPECT_EQ(copies.fold(snapshot(200'001, true, {publication("old")})), Folded::changed);
    EXPECT_FALSE(copy.diverged);
}

TEST_F(DatumCopiesTest, ShowStraysNothingThatALeaderWhoDoesNotKnowAllHasNotTold) {
    const auto shown = [&] {
        std::vector<std::string> ids;
        const auto view = DatumCopies::stray_view(copy, Scope::global, "");
        for (const auto& publication : view->publications) {
            ids.push_back(publication->id.raw());
        }
        return ids;
    };
    using Ids = std::vector<std::string>;
    copies.fold(snapshot(5, true, {publication("p"), publication("q"), publication("r")}));
    EXPECT_EQ(shown(), (Ids{"p", "q", "r"}));
    copies.fold(snapshot(6, false, {publication("p")}));
    EXPECT_EQ(copy.publications.size(), 3U) << "what is missing may well live";
    EXPECT_EQ(shown(), Ids{"p"}) << "or have left before their eyes";
    copies.fold(change(6, 7, {publication("q")}));
    EXPECT_EQ(shown(), (Ids{"p", "q"}));
    copies.fold(snapshot(8, false, {publication("q")}));
    EXPECT_EQ(shown(), Ids{"q"}) << "this one does not know of it";
    copies.fold(snapshot(9, true, {publication("p"), publication("r")}));
    EXPECT_EQ(shown(), (Ids{"p", "r"}));
    EXPECT_TRUE(copy.untold.empty());
}

TEST_F(DatumCopiesTest, IgnoreWhatIsOlder) {
    copies.fold(snapshot(5, true, {publication("p")}));
    EXPECT_EQ(copies.fold(snapshot(4, true, {})), Folded::nothing);
    EXPECT_EQ(copies.fold(change(3, 4, {}, {{RegistId("p")}})), Folded::nothing);
    EXPECT_EQ(copy.publications.size(), 1U);
}

TEST_F(DatumCopiesTest, ShowAZoneToItsOwnAndAllToOthers) {
    copies.fold(snapshot(5, true, {publication("p", "a"), publication("q", "b")}));
    EXPECT_EQ(DatumCopies::view(copy, Scope::zone, "a")->publications.size(), 1U);
    EXPECT_EQ(DatumCopies::view(copy, Scope::data_center, "a")->publications.size(), 2U);
    EXPECT_EQ(DatumCopies::view(copy, Scope::zone, "a"), DatumCopies::view(copy, Scope::zone, "a"))
        << "one view is shared";
}

TEST_F(DatumCopiesTest, GiveTheDifferenceOverSeveralSteps) {
    copies.fold(snapshot(5, true, {publication("p"), publication("q"), publication("r")}));
    copies.fold(change(5, 6, {publication("s")}));
    copies.fold(change(6, 7, {}, {{RegistId("q")}}));
    const auto view = DatumCopies::view(copy, Scope::global, "");
    const auto delta = DatumCopies::delta(copy, *view, Version(5));
    ASSERT_NE(delta, nullptr);
    EXPECT_EQ(delta->from, Version(5));
    EXPECT_EQ(delta->to, Version(7));
    ASSERT_EQ(delta->upserts.size(), 1U);
    EXPECT_EQ(delta->removals, std::vector{RegistId("q")});
    EXPECT_EQ(DatumCopies::delta(copy, *view, Version(4)), nullptr) << "not among the steps";
    EXPECT_EQ(DatumCopies::delta(copy, *view, Version()), nullptr);
}

// What leaves was passed over here when it came, as it was known already that it left; the session
// that the client comes from showed it meanwhile.
TEST_F(DatumCopiesTest, TellWhatLeftAlsoToWhoSawItElsewhere) {
    copies.fold(snapshot(5, true, {publication("p"), publication("r")}));
    const RegistOrder order{.version = 2, .timestamp_ms = 1};
    copies.note_departed(change(7, 8, {}, {{RegistId("q"), order}}));
    copies.fold(change(5, 6, {publication("q", "a", {.version = 1, .timestamp_ms = 1})}));
    ASSERT_EQ(copy.publications.size(), 2U);
    copies.fold(change(6, 7, {publication("r", "a", {.version = 9})}));
    copies.fold(change(7, 8, {}, {{RegistId("q"), order}}));
    const auto delta =
        DatumCopies::delta(copy, *DatumCopies::view(copy, Scope::data_center, ""), Version(6));
    ASSERT_NE(delta, nullptr);
    EXPECT_EQ(delta->removals, (std::vector{RegistId("q")}));
}

TEST_F(DatumCopiesTest, FoldADifferenceOnceForAllWhoAreToldIt) {
    copies.fold(snapshot(5, true, {publication("p"), publication("q")}));
    copies.fold(change(5, 6, {publication("r")}));
    copies.fold(change(6, 7, {publication("s")}));
    const ServiceViewPtr view = DatumCopies::view(copy, Scope::data_center, "");
    const ViewDeltaPtr from_five = DatumCopies::shared_delta(copy, view, Version(5));
    const ViewDeltaPtr from_six = DatumCopies::shared_delta(copy, view, Version(6));
    EXPECT_EQ(from_five->upserts.size(), 2U);
    EXPECT_EQ(from_six->upserts.size(), 1U);
    EXPECT_EQ(DatumCopies::shared_delta(copy, view, Version(5)), from_five);
    for (std::uint64_t from = 100; from < 200; ++from) {
        EXPECT_EQ(DatumCopies::shared_delta(copy, view, Version(from)), nullptr);
    }
    EXPECT_EQ(copy.folds.size(), DatumCopy::kFoldsMax);
    copies.fold(change(7, 8, {publication("t")}));
    EXPECT_TRUE(copy.folds.empty()) << "they led to what was before";
}

TEST_F(DatumCopiesTest, KeepABoundedNumberOfSteps) {
    copies.fold(snapshot(5, true, {publication("p"), publication("q")}));
    for (std::uint64_t i = 5; i < 9; ++i) {
        copies.fold(change(i, i + 1, {publication("p")}));
    }
    const auto view = DatumCopies::view(copy, Scope::global, "");
    EXPECT_EQ(DatumCopies::delta(copy, *view, Version(5)), nullptr);
    EXPECT_NE(DatumCopies::delta(copy, *view, Version(6)), nullptr);
}

TEST_F(DatumCopiesTest, ForgetWhatNobodyWantedForAWhile) {
    copies.want(copy);
    const MonoTime now{std::chrono::seconds(100)};
    EXPECT_TRUE(copies.forget_unwanted(now, std::chrono::seconds(60)).empty());
    copies.unwant(copy, now - std::chrono::seconds(30));
    copies.unwant(copy, now);
    EXPECT_TRUE(copies.forget_unwanted(now, std::chrono::seconds(60)).empty());
    EXPECT_EQ(copies.forget_unwanted(now + std::chrono::seconds(60), std::chrono::seconds(60)),
              std::vector{kOrders});
    EXPECT_EQ(copies.size(), 0U);
}

TEST_F(DatumCopiesTest, ForgetAtOnceWhatNobodyEverWanted) {
    const MonoTime now{std::chrono::seconds(100)};
    EXPECT_EQ(copies.forget_unwanted(now, std::chrono::seconds(60)), std::vector{kOrders});
}

TEST_F(DatumCopiesTest, KeepWhatIsWantedAgain) {
    const MonoTime now{std::chrono::seconds(100)};
    copies.want(copy);
    copies.unwant(copy, now);
    copies.want(copy);
    EXPECT_TRUE(
        copies.forget_unwanted(now + std::chrono::hours(1), std::chrono::seconds(60)).empty());
    EXPECT_EQ(copies.size(), 1U);
}

}  // namespace
}  // namespace muster::session
