#include "roles/session/balance_plan.h"

#include <map>
#include <string>

#include <gtest/gtest.h>

#include "base/prng.h"

namespace muster::session {
namespace {

using Loads = std::vector<msg::ClientLoad>;

NodeId session(std::size_t number) {
    return NodeId("session-" + std::to_string(number));
}

Loads loads(const std::vector<std::uint64_t>& clients) {
    Loads made;
    for (const std::uint64_t count : clients) {
        made.push_back({.session = session(made.size()), .clients = count});
    }
    return made;
}

// The plan of one of them, from what all were told.
BalancePlan plan(const Loads& told, std::size_t self, bool moving = false,
                 const BalanceLimits& limits = {}) {
    return plan_balance({.self = session(self),
                         .clients = told[self].clients,
                         .total = 0,
                         .sessions = told,
                         .moving = moving},
                        limits);
}

TEST(BalancePlan, GivesWhatIsAboveTheShareToWhoLacksIt) {
    const auto told = loads({200, 100, 0});
    const auto mine = plan(told, 0);
    EXPECT_EQ(mine.away, 100U);
    ASSERT_EQ(mine.rooms.size(), 1U);
    EXPECT_EQ(mine.rooms.front().session, session(2));
    EXPECT_EQ(mine.rooms.front().clients, 100U);
    EXPECT_EQ(plan(told, 1).away, 0U) << "it has its share";
    EXPECT_EQ(plan(told, 2).away, 0U);
}

TEST(BalancePlan, LeavesSmallDifferencesAlone) {
    EXPECT_EQ(plan(loads({110, 90}), 0).away, 0U) << "a tenth of the share";
    EXPECT_EQ(plan(loads({112, 88}), 0).away, 12U);
    EXPECT_EQ(plan(loads({10, 0}), 0).away, 0U) << "few";
    EXPECT_EQ(plan(loads({12, 0}), 0).away, 6U);
}

TEST(BalancePlan, EndsAtHalfOfTheLimitsWhenItHasBegun) {
    EXPECT_EQ(plan(loads({108, 92}), 0, true).away, 8U);
    EXPECT_EQ(plan(loads({105, 95}), 0, true).away, 0U);
}

TEST(BalancePlan, SharesAreInProportionToCapacities) {
    Loads told = loads({300, 300, 0});
    told[0].capacity = 4000;
    told[1].capacity = 1000;
    told[2].capacity = 1000;
    EXPECT_EQ(plan(told, 0).away, 0U);
    EXPECT_EQ(plan(told, 1).away, 200U);
    told[2].capacity = 0;  // as the mean of the others: 2500
    EXPECT_EQ(plan(told, 1).away, 300U - 80U);
}

TEST(BalancePlan, CountsThoseOnTheirWay) {
    const auto told = loads({80, 20});
    EXPECT_EQ(
        plan_balance({.self = session(0), .clients = 80, .total = 150, .sessions = told}, {}).away,
        0U)
        << "the share is 75";
}

TEST(BalancePlan, MovesNobodyAloneOrUnknown) {
    EXPECT_EQ(plan(loads({1000}), 0).away, 0U);
    const auto told = loads({0, 0});
    EXPECT_EQ(
        plan_balance({.self = NodeId("other"), .clients = 50, .total = 0, .sessions = told}, {})
            .away,
        0U);
}

TEST(BalancePlan, WithstandsImpossibleNumbers) {
    Loads told = loads({~0ULL, 0, ~0ULL});
    told[0].capacity = ~0ULL;
    told[1].capacity = 1;
    for (std::size_t self = 0; self < told.size(); ++self) {
        (void)plan(told, self);
    }
}

// All sessions plan from the same, old counts; each carries out a bounded part of its plan.
struct Fleet {
    explicit Fleet(Prng& drawn) : prng(drawn) {
        const std::size_t count = 2 + prng.below(9);
        std::vector<std::uint64_t> clients;
        for (std::size_t i = 0; i < count; ++i) {
            clients.push_back(prng.chance(1, 3) ? 0 : prng.below(2000));
        }
        now = loads(clients);
        if (prng.chance(1, 3)) {
            for (auto& one : now) {
                one.capacity = 1 + prng.below(5);
            }
        }
        told = now;
    }
    std::uint64_t total() const {
        std::uint64_t sum = 0;
        for (const auto& one : now) {
            sum += one.clients;
        }
        return sum;
    }
    // How far the fullest is above its share, in percent of it and in clients.
    std::uint64_t share_of(std::size_t i) const {
        std::uint64_t all = 0;
        for (const auto& one : now) {
            all += std::max<std::uint64_t>(one.capacity, 1);
        }
        return (total() * std::max<std::uint64_t>(now[i].capacity, 1) + all - 1) / all;
    }
    // Returns how many moved.
    std::uint64_t step() {
        std::uint64_t moved = 0;
        const Loads before = now;
        for (std::size_t i = 0; i < now.size(); ++i) {
            const auto plan = plan_balance({.self = now[i].session,
                                            .clients = before[i].clients,
                                            .total = total(),
                                            .sessions = told,
                                            .moving = moving[i]},
                                           {});
            moving[i] = plan.away > 0;
            const std::uint64_t pace = std::max<std::uint64_t>(before[i].clients / 50, 1);
            std::uint64_t left = std::min(plan.away, pace);
            EXPECT_GE(before[i].clients, share_of(i) * (plan.away > 0 ? 1 : 0) + plan.away)
                << "nobody is left with less than its share";
            std::uint64_t room = 0;
            for (const auto& one : plan.rooms) {
                room += one.clients;
            }
            for (const auto& one : plan.rooms) {
                const std::uint64_t part =
                    std::min(left, (std::min(plan.away, pace) * one.clients + room - 1) / room);
                const auto to = static_cast<std::size_t>(std::stoul(one.session.raw().substr(8)));
                now[to].clients += part;
                now[i].clients -= part;
                moved += part;
                left -= part;
            }
        }
        return moved;
    }

    Prng& prng;
    Loads now;
    Loads told;
    std::map<std::size_t, bool> moving;
};

TEST(BalancePlan, ComesToRestWithinTheLimitsFromAnywhereAlsoWithOldCounts) {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        Prng prng(seed);
        Fleet fleet(prng);
        const std::uint64_t all = fleet.total();
        const std::uint64_t every = 1 + prng.below(6);  // steps from one telling to the next
        std::uint64_t moved = 0;
        std::uint64_t excess = 0;
        for (std::size_t i = 0; i < fleet.now.size(); ++i) {
            const std::uint64_t clients = fleet.now[i].clients;
            excess += clients - std::min(clients, fleet.share_of(i));
        }
        std::uint64_t quiet = 0;
        for (std::uint64_t i = 0; quiet < 2 * every && i < 3000; ++i) {
            if (i % every == 0) {
                fleet.told = fleet.now;
            }
            const std::uint64_t now = fleet.step();
            moved += now;
            quiet = now == 0 ? quiet + 1 : 0;
        }
        EXPECT_GE(quiet, 2 * every) << "seed " << seed << ": it never rests";
        EXPECT_EQ(fleet.total(), all);
        for (std::size_t i = 0; i < fleet.now.size(); ++i) {
            const std::uint64_t share = fleet.share_of(i);
            EXPECT_LE(fleet.now[i].clients, share + std::max<std::uint64_t>(share / 10, 5))
                << "seed " << seed << " session " << i;
        }
        // Who moves, moves once: what was too much and, of old counts, little more.
        EXPECT_LE(moved, excess + (excess / 10) + (10 * fleet.now.size())) << "seed " << seed;
    }
}

}  // namespace
}  // namespace muster::session
