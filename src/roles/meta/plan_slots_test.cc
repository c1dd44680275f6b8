#include "roles/meta/plan_slots.h"

#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "base/prng.h"

namespace muster::meta {
namespace {

std::vector<NodeId> nodes(std::initializer_list<const char*> names) {
    std::vector<NodeId> all;
    for (const char* name : names) {
        all.emplace_back(name);
    }
    return all;
}

void carry_out(SlotTable& table, std::size_t count,
               const std::vector<AssignSlots::Assignment>& plan) {
    table.slots.resize(count);
    for (const auto& one : plan) {
        table.slots[one.slot.raw()].leader = one.leader;
    }
}

TEST(PlanSlots, GivesEverythingToTheOnlyNode) {
    const SlotTable table;
    const auto plan = plan_slots({table, 256, nodes({"a"}), {}}, {});
    ASSERT_EQ(plan.size(), 256U);
    EXPECT_TRUE(std::all_of(plan.begin(), plan.end(),
                            [](const auto& one) { return one.leader == NodeId("a"); }));
}

TEST(PlanSlots, DoesNothingWithoutALivingNode) {
    SlotTable table;
    table.slots.resize(4);
    table.slots[0].leader = NodeId("dead");
    EXPECT_TRUE(plan_slots({table, 4, {}, {}}, {}).empty());
}

TEST(PlanSlots, LeavesSlotsOfNodesNotHeardYet) {
    SlotTable table;
    table.slots.resize(4, Slot{.leader = NodeId("b")});
    EXPECT_TRUE(plan_slots({table, 4, nodes({"a"}), nodes({"b"})}, {}).empty());
    EXPECT_EQ(plan_slots({table, 4, nodes({"a"}), {}}, {}).size(), 4U);
}

TEST(PlanSlots, TakesNoMoreFromTheLivingThanItMay) {
    SlotTable table;
    table.slots.resize(100, Slot{.leader = NodeId("a")});
    EXPECT_EQ(plan_slots({table, 100, nodes({"a", "b"}), {}}, {}).size(), 50U);
    EXPECT_EQ(plan_slots({table, 100, nodes({"a", "b"}), {}}, {.moves_max = 3}).size(), 3U);
}

TEST(PlanSlots, IsBalancedStableAndMovesAsFewAsCanBe) {
    Prng prng(5);
    for (int run = 0; run < 500; ++run) {
        const auto count = static_cast<std::uint16_t>(prng.between(1, 64));
        const std::size_t node_count = prng.below(6) + 1;
        SlotTable table;
        table.slots.resize(prng.chance(1, 5) ? 0 : count);
        for (Slot& slot : table.slots) {
            const std::uint64_t pick = prng.below(8);  // some dead, some nobody
            slot.leader = pick == 7 ? NodeId() : NodeId("n" + std::to_string(pick));
        }
        std::vector<NodeId> live;
        for (std::size_t i = 0; i < node_count; ++i) {
            live.emplace_back("n" + std::to_string(i));
        }
        std::map<NodeId, std::size_t> before;
        std::size_t orphans = count - table.slots.size();
        for (const Slot& slot : table.slots) {
            if (std::binary_search(live.begin(), live.end(), slot.leader)) {
                ++before[slot.leader];
            } else {
                ++orphans;
            }
        }
        const SlotsView view{table, count, live, {}};
        const auto plan = plan_slots(view, {});
        ASSERT_EQ(plan_slots(view, {}), plan);
        ASSERT_TRUE(std::is_sorted(plan.begin(), plan.end(),
                                   [](const auto& a, const auto& b) { return a.slot < b.slot; }));

        // What exceeds the larger share must move, and nothing else; the larger share goes to as
        // many of the fullest nodes as there are remainders.
        std::vector<std::size_t> sizes;
        for (const NodeId& node : live) {
            sizes.push_back(before[node]);
        }
        std::sort(sizes.rbegin(), sizes.rend());
        std::size_t must_move = orphans;
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            const std::size_t share = count / node_count + (i < count % node_count ? 1 : 0);
            must_move += sizes[i] > share ? sizes[i] - share : 0;
        }
        ASSERT_EQ(plan.size(), must_move) << run;

        carry_out(table, count, plan);
        std::map<NodeId, std::size_t> after;
        for (const Slot& slot : table.slots) {
            ++after[slot.leader];
        }
        ASSERT_EQ(after.count(NodeId()), 0U);
        for (const NodeId& node : live) {
            ASSERT_GE(after[node], count / node_count);
            ASSERT_LE(after[node], (count + node_count - 1) / node_count);
        }
        ASSERT_TRUE(plan_slots({table, count, live, {}}, {}).empty());
    }
}

}  // namespace
}  // namespace muster::meta
