#include "pick_table.h"

#include <limits>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "model/mark.h"

namespace muster::sdk_core {
namespace {

struct Spec {
    std::string box;
    std::string zone = "a";
    std::optional<Ramp> ramp = {};
};

ListRef list_of(const std::vector<Spec>& specs) {
    auto view = std::make_shared<ServiceView>();
    view->service = std::make_shared<const Service>(Service{.data_id = "orders"});
    view->version = Version(1);
    view->complete = true;
    for (std::size_t i = 0; i < specs.size(); ++i) {
        auto publication = std::make_shared<Publication>();
        publication->id = RegistId("id-" + std::to_string(1000 + i));
        publication->service = view->service;
        publication->zone = specs[i].zone;
        publication->boxes = {specs[i].box};
        if (specs[i].ramp) {
            publication->attributes = specs[i].ramp->added_to({});
        }
        view->publications.push_back(std::move(publication));
    }
    client::ListKey key{.service = *view->service};
    return ListRef(new muster_list(key, {.view = std::move(view)}, MonoTime{}));
}

std::string box_of(const PickTable& table, std::size_t index) {
    return std::string(table.list()->entries()[index].box);
}

std::map<std::string, int> count_picks(const PickTable& table, PickRequest request, int picks) {
    Prng prng(7);
    std::map<std::string, int> counts;
    for (int i = 0; i < picks; ++i) {
        request.turn = static_cast<std::uint64_t>(i);
        ++counts[box_of(table, *table.pick(request, prng))];
    }
    return counts;
}

TEST(PickTable, WeightedRandomFollowsTheWeights) {
    const PickTable table(
        list_of({{"1.0.0.1:80"}, {"1.0.0.2:80?weight=300"}, {"1.0.0.3:80?weight=0"}}), "a",
        nullptr);
    const auto counts = count_picks(table, {}, 40'000);
    EXPECT_EQ(counts.size(), 2U);
    EXPECT_NEAR(counts.at("1.0.0.1:80"), 10'000, 400);
    EXPECT_NEAR(counts.at("1.0.0.2:80?weight=300"), 30'000, 400);
}

TEST(PickTable, NeverPicksWhatIsDisabledUnhealthyWeightlessOrNoEndpoint) {
    const PickTable table(list_of({{"1.0.0.1:80?enabled=false"},
                                   {"1.0.0.2:80?healthy=false"},
                                   {"1.0.0.3:80?weight=0"},
                                   {"just text"}}),
                          "a", nullptr);
    Prng prng(1);
    for (const auto policy : {MUSTER_WEIGHTED_RANDOM, MUSTER_ROUND_ROBIN, MUSTER_LEAST_REQUESTS,
                              MUSTER_CONSISTENT_HASH}) {
        EXPECT_FALSE(table.pick({.policy = policy}, prng).has_value());
    }
}

// Two of the same weight; the second came back `ago`, and has its whole weight after 10 s.
class Returned : public ::testing::Test {
protected:
    static constexpr std::int64_t kWall = 1'700'000'000'000;

    static ListRef list(std::int64_t ago_ms) {
        return list_of({{.box = "1.0.0.1:80"},
                        {.box = "1.0.0.2:80",
                         .ramp = Ramp{.since = {kWall - ago_ms}, .length = seconds(10)}}});
    }
    static PickTime came(Duration mono) {
        return {.mono = MonoTime(mono), .wall = {kWall}};
    }
    static double share(const PickTable& table, muster_policy policy, Duration mono) {
        const int picks = 20'000;
        auto counts = count_picks(table, {.policy = policy, .now = MonoTime(mono)}, picks);
        return static_cast<double>(counts["1.0.0.2:80"]) / picks;
    }
    using seconds = std::chrono::seconds;
};

TEST_F(Returned, ItsWeightGrowsByTheClock) {
    const PickTable table(list(2000), "a", nullptr, came(seconds(50)));
    EXPECT_NEAR(share(table, MUSTER_WEIGHTED_RANDOM, seconds(50)), 0.2 / 1.2, 0.02);
    EXPECT_NEAR(share(table, MUSTER_WEIGHTED_RANDOM, seconds(53)), 0.5 / 1.5, 0.02);
    EXPECT_NEAR(share(table, MUSTER_WEIGHTED_RANDOM, seconds(58)), 0.5, 0.02);
    EXPECT_NEAR(share(table, MUSTER_WEIGHTED_RANDOM, seconds(9999)), 0.5, 0.02);
}

TEST_F(Returned, EveryPolicyGivesItLess) {
    const PickTable table(list(2000), "a", nullptr, came(seconds(50)));
    // Its turn is half of all; it takes a fifth of them.
    EXPECT_NEAR(share(table, MUSTER_ROUND_ROBIN, seconds(50)), 0.1, 0.02);
    EXPECT_NEAR(share(table, MUSTER_ROUND_ROBIN, seconds(60)), 0.5, 0.001);
    EXPECT_EQ(share(table, MUSTER_LEAST_REQUESTS, seconds(50)), 0) << "both are idle";
    int moved = 0;
    Prng prng(1);
    for (int i = 0; i < 2000; ++i) {
        const std::string key = "key-" + std::to_string(i);
        const PickRequest request{
            .policy = MUSTER_CONSISTENT_HASH, .key = key, .now = MonoTime(seconds(50))};
        moved += box_of(table, *table.pick(request, prng)) == "1.0.0.2:80" ? 1 : 0;
    }
    EXPECT_NEAR(moved / 2000.0, 0.2 / 1.2, 0.03);
}

TEST_F(Returned, ItBeginsSmallAndIsPickedWhenItIsAlone) {
    const PickTable table(list(0), "a", nullptr, came(seconds(50)));
    EXPECT_NEAR(share(table, MUSTER_WEIGHTED_RANDOM, seconds(50)), 0.05 / 1.05, 0.01);
    const PickTable alone(
        list_of({{.box = "1.0.0.2:80", .ramp = Ramp{{kWall}, std::chrono::hours(1)}}}), "a",
        nullptr, came(seconds(50)));
    for (const auto policy : {MUSTER_WEIGHTED_RANDOM, MUSTER_ROUND_ROBIN, MUSTER_LEAST_REQUESTS,
                              MUSTER_CONSISTENT_HASH}) {
        Prng prng(1);
        EXPECT_TRUE(alone.pick({.policy = policy, .now = MonoTime(seconds(50))}, prng));
    }
}

TEST_F(Returned, AClockThatIsBehindTheRegistrysMakesItGrowFromWhenItWasSeen) {
    const PickTable first(list(-3'600'000), "a", nullptr, came(seconds(50)));
    EXPECT_NEAR(share(first, MUSTER_WEIGHTED_RANDOM, seconds(55)), 0.5 / 1.5, 0.02);
    const PickTable next(list(-3'600'000), "a", &first, came(seconds(55)));
    EXPECT_NEAR(share(next, MUSTER_WEIGHTED_RANDOM, seconds(55)), 0.5 / 1.5, 0.02)
        << "another list changes nothing";
    EXPECT_NEAR(share(next, MUSTER_WEIGHTED_RANDOM, seconds(60)), 0.5, 0.02);
    const PickTable grown(list(-3'600'000), "a", &next, came(seconds(70)));
    const PickTable after(list(-3'600'000), "a", &grown, came(seconds(80)));
    EXPECT_NEAR(share(after, MUSTER_WEIGHTED_RANDOM, seconds(80)), 0.5, 0.02)
        << "it does not begin anew";
}

TEST_F(Returned, TimesThatCannotBeAreNoReturn) {
    for (const std::int64_t ago : {std::numeric_limits<std::int64_t>::min() + kWall + 1, kWall}) {
        const PickTable table(list(ago), "a", nullptr, came(seconds(50)));
        EXPECT_TRUE(count_picks(table, {}, 1000).contains("1.0.0.2:80"));
    }
}

TEST(PickTable, RoundRobinTakesTurns) {
    const PickTable table(list_of({{"1.0.0.1:80"}, {"1.0.0.2:80"}, {"1.0.0.3:80"}}), "a", nullptr);
    for (const auto& [box, count] : count_picks(table, {.policy = MUSTER_ROUND_ROBIN}, 300)) {
        EXPECT_EQ(count, 100) << box;
    }
}

TEST(PickTable, LeastRequestsAvoidsTheBusyOne) {
    const PickTable table(list_of({{"1.0.0.1:80"}, {"1.0.0.2:80"}, {"1.0.0.3:80"}}), "a", nullptr);
    table.calls(0)->store(50);
    const auto counts = count_picks(table, {.policy = MUSTER_LEAST_REQUESTS}, 1000);
    EXPECT_FALSE(counts.contains("1.0.0.1:80"));  // each pair has a less busy one
    EXPECT_NEAR(counts.at("1.0.0.2:80"), 500, 200);
}

TEST(PickTable, LeastRequestsCountsCallsAgainstWeight) {
    const PickTable table(list_of({{"1.0.0.1:80?weight=100"}, {"1.0.0.2:80?weight=400"}}), "a",
                          nullptr);
    table.calls(0)->store(1);
    table.calls(1)->store(6);  // 7/400 is less than 2/100
    const auto counts = count_picks(table, {.policy = MUSTER_LEAST_REQUESTS}, 100);
    EXPECT_EQ(counts.at("1.0.0.2:80?weight=400"), 100);
}

TEST(PickTable, KeepsCallCountsWhenTheListChanges) {
    const PickTable before(list_of({{"1.0.0.1:80"}, {"1.0.0.2:80"}}), "a", nullptr);
    before.calls(1)->store(5);
    const PickTable after(list_of({{"1.0.0.0:80"}, {"1.0.0.2:80?colour=red"}}), "a", &before);
    EXPECT_EQ(after.calls(1)->load(), 5U);
    EXPECT_EQ(after.calls(0)->load(), 0U);
}

TEST(PickTable, PrefersTheOwnZoneAndFallsBackWhenItIsEmpty) {
    const PickTable both(list_of({{"1.0.0.1:80", "a"}, {"1.0.0.2:80", "b"}}), "a", nullptr);
    EXPECT_EQ(count_picks(both, {}, 200).size(), 1U);
    EXPECT_EQ(count_picks(both, {.any_zone = true}, 200).size(), 2U);
    const PickTable away(list_of({{"1.0.0.1:80?healthy=false", "a"}, {"1.0.0.2:80", "b"}}), "a",
                         nullptr);
    EXPECT_EQ(count_picks(away, {}, 200).at("1.0.0.2:80"), 200);
}

std::map<std::string, std::string> owners(const std::vector<Spec>& specs, int keys) {
    const PickTable table(list_of(specs), "a", nullptr);
    Prng prng(1);
    std::map<std::string, std::string> owner;
    for (int i = 0; i < keys; ++i) {
        const std::string key = "key-" + std::to_string(i);
        const PickRequest request{.policy = MUSTER_CONSISTENT_HASH, .key = key};
        owner[key] = box_of(table, *table.pick(request, prng));
    }
    return owner;
}

TEST(PickTable, ConsistentHashMovesOnlyTheShareOfWhatLeft) {
    std::vector<Spec> specs;
    for (int i = 0; i < 10; ++i) {
        specs.push_back({"1.0.0." + std::to_string(i) + ":80"});
    }
    const auto before = owners(specs, 5000);
    const std::string gone = specs[4].box;
    specs.erase(specs.begin() + 4);
    const auto after = owners(specs, 5000);
    int moved = 0;
    for (const auto& [key, owner] : before) {
        if (owner == gone) {
            ++moved;
        } else {
            EXPECT_EQ(after.at(key), owner);
        }
    }
    EXPECT_NEAR(moved, 500, 120);
}

TEST(PickTable, ConsistentHashSharesByWeight) {
    std::map<std::string, int> counts;
    for (const auto& [key, owner] : owners({{"1.0.0.1:80"}, {"1.0.0.2:80?weight=300"}}, 20'000)) {
        ++counts[owner];
    }
    EXPECT_NEAR(counts["1.0.0.1:80"], 5000, 400);
}

}  // namespace
}  // namespace muster::sdk_core
