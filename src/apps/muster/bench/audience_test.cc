#include "apps/muster/bench/audience.h"

#include <gtest/gtest.h>

namespace muster::cli::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kConn = 3;

class AudienceTest : public testing::Test {
protected:
    AudienceTest() {
        audience_.on_change([this](const Audience::Change& change) { changes_.push_back(change); });
        audience_.watch(kConn, 0, 3);
    }

    PublicationPtr entry(std::uint32_t number, std::int64_t version) const {
        auto made = std::make_shared<Publication>();
        made->id = RegistId(names_.entry(0, number));
        made->order = {.version = version};
        return made;
    }
    msg::Push push(std::uint64_t version, std::vector<PublicationPtr> list,
                   bool complete = true) const {
        auto view = std::make_shared<ServiceView>();
        view->service = std::make_shared<const Service>(names_.service(0));
        view->version = Version(version);
        view->complete = complete;
        view->publications = std::move(list);
        return {.view = view, .subscribers = {}};
    }
    msg::Push delta(std::uint64_t from, std::uint64_t to, std::vector<PublicationPtr> upserts,
                    std::vector<RegistId> removals) const {
        msg::Push told = push(to, {});
        told.delta = std::make_shared<const ViewDelta>(ViewDelta{.from = Version(from),
                                                                 .to = Version(to),
                                                                 .upserts = std::move(upserts),
                                                                 .removals = std::move(removals)});
        return told;
    }
    msg::PushAck take(const msg::Push& told) {
        return audience_.take(kConn, told, 1s);
    }

    RunNames names_{7};
    Audience audience_{names_};
    std::vector<Audience::Change> changes_;
};

TEST_F(AudienceTest, NamesAreOfOneRunOnly) {
    EXPECT_EQ(names_.run(), "muster-bench-00000007");
    EXPECT_EQ(names_.service_number(names_.service(12).data_id), 12U);
    EXPECT_EQ(names_.entry_number(names_.entry(12, 34)), 34U);
    const RunNames others(8);
    EXPECT_EQ(names_.service_number(others.service(12).data_id), std::nullopt);
    EXPECT_EQ(names_.entry_number(others.entry(12, 34)), std::nullopt);
    EXPECT_EQ(names_.service_number("orders"), std::nullopt);
    EXPECT_EQ(names_.service_number(names_.run()), std::nullopt);
    EXPECT_EQ(names_.entry_number(names_.run()), std::nullopt);
    EXPECT_EQ(names_.service_number(names_.run() + ".1x"), std::nullopt);
}

TEST_F(AudienceTest, TellsWhatComesChangesAndGoes) {
    take(push(1, {entry(0, 1), entry(1, 1)}));
    EXPECT_EQ(audience_.shown(), 2U);
    take(delta(1, 2, {entry(1, 2), entry(2, 1)}, {}));
    ASSERT_EQ(changes_.size(), 4U);
    EXPECT_EQ(changes_[2].entry, 1U);
    EXPECT_EQ(changes_[2].from, 1U);
    EXPECT_EQ(changes_[2].to, 2U);
    EXPECT_EQ(changes_[2].at, 1s);
    audience_.let_go(0, 0);
    take(delta(2, 3, {}, {RegistId(names_.entry(0, 0))}));
    EXPECT_EQ(changes_.back().to, 0U);
    EXPECT_EQ(audience_.shown(), 2U);
    EXPECT_EQ(audience_.false_removals(), 0U);
    EXPECT_EQ(audience_.pushes(), 3U);
    EXPECT_EQ(audience_.whole_pushes(), 1U);
}

TEST_F(AudienceTest, AListWithoutWhatLivesIsAFalseRemoval) {
    take(push(1, {entry(0, 1), entry(1, 1)}));
    take(push(2, {entry(0, 1)}));
    EXPECT_EQ(audience_.false_removals(), 1U);
    take(delta(2, 3, {}, {RegistId(names_.entry(0, 0))}));
    EXPECT_EQ(audience_.false_removals(), 2U);
}

TEST_F(AudienceTest, AListThatIsNotCompleteRemovesNothing) {
    take(push(1, {entry(0, 1), entry(1, 1)}));
    take(push(2, {entry(2, 1)}, false));
    EXPECT_EQ(audience_.shown(), 3U);
    EXPECT_EQ(audience_.false_removals(), 0U);
}

TEST_F(AudienceTest, AnOlderStateIsCounted) {
    take(push(1, {entry(0, 5)}));
    take(push(2, {entry(0, 4)}));
    EXPECT_EQ(audience_.backward(), 1U);
}

TEST_F(AudienceTest, AnOlderListChangesNothing) {
    take(push(5, {entry(0, 1)}));
    take(push(4, {}));
    EXPECT_EQ(audience_.shown(), 1U);
    EXPECT_EQ(audience_.false_removals(), 0U);
}

TEST_F(AudienceTest, ADifferenceFromAnotherListIsRefused) {
    take(push(1, {entry(0, 1)}));
    EXPECT_TRUE(take(push(2, {entry(0, 1)})).ok);
    EXPECT_FALSE(take(delta(7, 8, {}, {RegistId(names_.entry(0, 0))})).ok);
    EXPECT_EQ(audience_.unusable(), 1U);
    EXPECT_EQ(audience_.shown(), 1U);
}

TEST_F(AudienceTest, WhoSubscribesNoLongerHoldsNothingAndMayComeBack) {
    take(push(1, {entry(0, 1), entry(1, 1)}));
    audience_.forget(kConn, 0);
    EXPECT_EQ(audience_.shown(), 0U);
    take(push(2, {entry(0, 1)}));
    EXPECT_EQ(audience_.shown(), 0U);
    audience_.watch(kConn, 0, 2);
    take(push(2, {entry(0, 1)}));
    EXPECT_EQ(audience_.shown(), 1U);
    EXPECT_EQ(audience_.false_removals(), 0U);
}

TEST_F(AudienceTest, WhatCameBackMustNotGo) {
    take(push(1, {entry(0, 1)}));
    audience_.let_go(0, 0);
    take(push(2, {}));
    EXPECT_EQ(audience_.false_removals(), 0U);
    take(push(3, {entry(0, 2)}));
    audience_.stays(0, 0);
    take(push(4, {}));
    EXPECT_EQ(audience_.false_removals(), 1U);
}

TEST_F(AudienceTest, StrangersInAListAreNobodys) {
    auto stranger = std::make_shared<Publication>();
    stranger->id = RegistId("6fa459ea");
    take(push(1, {entry(0, 1), entry(99, 1), stranger}));
    EXPECT_EQ(audience_.shown(), 1U);
    EXPECT_EQ(audience_.take(kConn + 1, push(1, {entry(0, 1)}), 1s).version, Version(1))
        << "what was not asked for is acknowledged, too";
    EXPECT_EQ(audience_.shown(), 1U);
}

}  // namespace
}  // namespace muster::cli::bench
