#include "roles/placement/placement.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <gtest/gtest.h>

#include "base/prng.h"

namespace muster::placement {
namespace {

// A cluster that carries plans out: copies become synced when it is told so.
class Cluster final : public CopyPositions {
public:
    explicit Cluster(std::uint16_t slot_count, Options wanted = {})
        : count(slot_count), options(wanted) {}

    [[nodiscard]] Copy find(const NodeId& node, SlotId slot) const override {
        const auto found = copies.find({node, slot});
        return found == copies.end() ? Copy{} : found->second;
    }

    void set(const std::string& name, Standing standing, bool replace = false) {
        nodes[NodeId(name)].standing = standing;
        nodes[NodeId(name)].replace = replace;
    }
    void add(const std::string& name, const std::string& zone = "") {
        nodes[NodeId(name)] = {.node = NodeId(name), .zone = zone};
    }
    // Its process ended: what it held is lost.
    void kill(const std::string& name, bool replace = false) {
        set(name, Standing::dead, replace);
        std::erase_if(copies, [&](const auto& one) { return one.first.first == NodeId(name); });
    }

    [[nodiscard]] View view() const {
        View view{.table = table,
                  .slot_count = count,
                  .nodes = {},
                  .copies = *this,
                  .wishes = wishes,
                  .mode = mode};
        for (const auto& [name, node] : nodes) {
            view.nodes.push_back(node);
        }
        return view;
    }

    // Plans once and carries it out, checking what no step may do.
    Plan step() {
        const Plan next = plan(view(), options);
        EXPECT_EQ(plan(view(), options).assignments, next.assignments);
        table.slots.resize(count);
        const Assignment* last = nullptr;
        for (const Assignment& one : next.assignments) {
            EXPECT_TRUE(last == nullptr || last->slot < one.slot);
            last = &one;
            carry_out(one);
        }
        return next;
    }

    void carry_out(const Assignment& next) {
        Slot& slot = table.slots[next.slot.raw()];
        std::set<NodeId> holders(next.followers.begin(), next.followers.end());
        EXPECT_EQ(holders.size(), next.followers.size()) << "a follower twice";
        EXPECT_TRUE(holders.insert(next.leader).second) << "the leader follows itself";
        if (!slot.leader.raw().empty()) {
            check_hand_over(slot, next);
            check_given_up(slot, next, holders);
            moved += static_cast<std::size_t>(std::ranges::count_if(
                holders, [&](const NodeId& node) { return !holds(slot, node); }));
        }
        if (slot.leader != next.leader) {
            leads_moved += slot.leader.raw().empty() ? 0 : 1;
            slot.epoch = Epoch(slot.epoch.raw() + 1);
            for (const NodeId& node : holders) {
                copies[{node, next.slot}].synced = false;
            }
            copies[{next.leader, next.slot}] = {.held = {slot.epoch, 1}, .synced = true};
        }
        slot.leader = next.leader;
        slot.followers = next.followers;
        std::erase_if(copies, [&](const auto& one) {
            return one.first.second == next.slot && !holders.contains(one.first.first);
        });
        ++table_changes;
    }

    void check_hand_over(const Slot& slot, const Assignment& next) const {
        const auto leader = nodes.find(slot.leader);
        if (next.leader != slot.leader && leader != nodes.end() &&
            leader->second.standing != Standing::dead) {
            EXPECT_NE(leader->second.standing, Standing::unheard);
            EXPECT_TRUE(find(next.leader, next.slot).synced) << "a read gap";
        }
    }

    void check_given_up(const Slot& slot, const Assignment& next,
                        const std::set<NodeId>& holders) const {
        for (const auto& [name, node] : nodes) {
            if (holds(slot, name) && !holders.contains(name) && node.standing != Standing::dead) {
                EXPECT_GE(synced_live(next.slot, holders),
                          std::min<std::size_t>(options.copies, live().size()))
                    << name.raw() << " is given up too early";
            }
        }
    }

    [[nodiscard]] std::size_t synced_live(SlotId slot, const std::set<NodeId>& holders) const {
        return static_cast<std::size_t>(std::ranges::count_if(holders, [&](const NodeId& node) {
            const bool leads = table.slots[slot.raw()].leader == node;
            return (leads || find(node, slot).synced) && nodes.at(node).standing == Standing::live;
        }));
    }

    static bool holds(const Slot& slot, const NodeId& node) {
        return slot.leader == node ||
               std::ranges::find(slot.followers, node) != slot.followers.end();
    }

    // Followers whose leader and themselves live catch up, each with that chance in percent.
    void sync(Prng* prng = nullptr, std::uint64_t percent = 100) {
        for (std::size_t i = 0; i < table.slots.size(); ++i) {
            const SlotId id(static_cast<std::uint16_t>(i));
            const Slot& slot = table.slots[i];
            if (slot.leader.raw().empty() || !alive(slot.leader)) {
                continue;
            }
            const Copy leader = find(slot.leader, id);
            for (const NodeId& node : slot.followers) {
                if (alive(node) && (prng == nullptr || prng->chance(percent, 100))) {
                    copies[{node, id}] = {.held = leader.held, .synced = true};
                }
            }
        }
    }

    [[nodiscard]] bool alive(const NodeId& node) const {
        const auto found = nodes.find(node);
        return found != nodes.end() && found->second.standing != Standing::dead;
    }

    [[nodiscard]] std::vector<NodeId> live() const {
        std::vector<NodeId> all;
        for (const auto& [name, node] : nodes) {
            if (node.standing == Standing::live) {
                all.push_back(name);
            }
        }
        return all;
    }

    // Steps until nothing is left to do; the number of steps.
    std::size_t settle(std::size_t steps_max = 2000) {
        for (std::size_t steps = 0; steps < steps_max; ++steps) {
            sync();
            if (step().assignments.empty()) {
                return steps;
            }
        }
        ADD_FAILURE() << "plans do not end: " << describe(step());
        return steps_max;
    }

    [[nodiscard]] std::string describe(const Plan& next) const {
        std::string text;
        for (const auto& [name, node] : nodes) {
            text += name.raw() + " " + node.zone + " " +
                    std::to_string(static_cast<int>(node.standing)) + (node.replace ? "r; " : "; ");
        }
        for (const Assignment& one : next.assignments) {
            text += std::to_string(one.slot.raw()) + ": " + one.leader.raw();
            for (const NodeId& node : one.followers) {
                text += " " + node.raw() + (find(node, one.slot).synced ? "" : "?");
            }
            text += "; ";
        }
        return text;
    }

    [[nodiscard]] std::map<NodeId, std::size_t> leads() const {
        std::map<NodeId, std::size_t> all;
        for (const Slot& slot : table.slots) {
            ++all[slot.leader];
        }
        return all;
    }
    [[nodiscard]] std::map<NodeId, std::size_t> loads() const {
        std::map<NodeId, std::size_t> all = leads();
        for (const Slot& slot : table.slots) {
            for (const NodeId& node : slot.followers) {
                ++all[node];
            }
        }
        return all;
    }
    [[nodiscard]] std::size_t spread_of(std::map<NodeId, std::size_t> counts) const {
        std::size_t least = SIZE_MAX;
        std::size_t most = 0;
        for (const NodeId& node : live()) {
            least = std::min(least, counts[node]);
            most = std::max(most, counts[node]);
        }
        return most - least;
    }

    std::uint16_t count;
    Options options;
    Mode mode = Mode::automatic;
    SlotTable table;
    std::map<NodeId, DataNode> nodes;
    std::map<std::pair<NodeId, SlotId>, Copy> copies;
    std::map<SlotId, NodeId> wishes;
    std::size_t moved = 0;
    std::size_t leads_moved = 0;
    std::size_t table_changes = 0;
};

Cluster at_rest(std::uint16_t slots, std::initializer_list<const char*> names,
                Options options = {}) {
    Cluster cluster(slots, options);
    for (const char* name : names) {
        cluster.add(name);
    }
    cluster.settle();
    cluster.moved = cluster.leads_moved = 0;
    return cluster;
}

TEST(Placement, GivesEverythingToTheOnlyNodeAtOnce) {
    Cluster cluster(256);
    cluster.add("a");
    EXPECT_EQ(cluster.step().assignments.size(), 256U);
    EXPECT_EQ(cluster.leads()[NodeId("a")], 256U);
    EXPECT_TRUE(cluster.step().assignments.empty());
}

TEST(Placement, DoesNothingWithoutALivingNode) {
    Cluster cluster = at_rest(8, {"a"});
    cluster.kill("a", true);
    EXPECT_TRUE(cluster.step().assignments.empty());
}

TEST(Placement, MakesAFreshTableOfAllNodesInOneStep) {
    Cluster cluster(256);
    for (const char* name : {"a", "b", "c", "d"}) {
        cluster.add(name);
    }
    EXPECT_EQ(cluster.step().assignments.size(), 256U);
    EXPECT_LE(cluster.spread_of(cluster.leads()), 1U);
    EXPECT_LE(cluster.spread_of(cluster.loads()), 1U);
    cluster.sync();
    EXPECT_TRUE(cluster.step().assignments.empty());
}

TEST(Placement, PromotesTheFurthestCopyAndKeepsTheDeadOneListed) {
    Cluster cluster = at_rest(1, {"a", "b", "c"});
    const Slot before = cluster.table.slots[0];
    for (const NodeId& follower : before.followers) {
        cluster.copies[{follower, SlotId(0)}] = {.held = {Epoch(1), 5}, .synced = true};
    }
    cluster.copies[{before.followers[1], SlotId(0)}] = {.held = {Epoch(1), 6}, .synced = false};
    cluster.kill(before.leader.raw());
    cluster.step();
    EXPECT_EQ(cluster.table.slots[0].leader, before.followers[1]);
    EXPECT_TRUE(Cluster::holds(cluster.table.slots[0], before.leader));
    cluster.sync();
    EXPECT_TRUE(cluster.step().assignments.empty());
}

TEST(Placement, PrefersALaterEpochToALargerNumber) {
    Cluster cluster = at_rest(1, {"a", "b", "c"});
    const Slot before = cluster.table.slots[0];
    cluster.copies[{before.followers[0], SlotId(0)}] = {.held = {Epoch(1), 500}, .synced = false};
    cluster.copies[{before.followers[1], SlotId(0)}] = {.held = {Epoch(2), 1}, .synced = false};
    cluster.kill(before.leader.raw());
    cluster.step();
    EXPECT_EQ(cluster.table.slots[0].leader, before.followers[1]);
}

TEST(Placement, WaitsForFollowersNotHeardYetUnlessOneWithACopyIs) {
    Cluster cluster = at_rest(1, {"a", "b", "c"});
    const Slot before = cluster.table.slots[0];
    cluster.kill(before.leader.raw());
    cluster.set(before.followers[0].raw(), Standing::unheard);
    cluster.set(before.followers[1].raw(), Standing::unheard);
    EXPECT_TRUE(cluster.step().assignments.empty());
    cluster.set(before.followers[1].raw(), Standing::live);
    cluster.step();
    EXPECT_EQ(cluster.table.slots[0].leader, before.followers[1]);
}

TEST(Placement, LeavesNodesNotHeardYetWhatTheyHave) {
    Cluster cluster = at_rest(64, {"a", "b", "c"});
    cluster.add("d");
    cluster.set("b", Standing::unheard);
    EXPECT_TRUE(cluster.step().assignments.empty());
}

TEST(Placement, GivesASlotWithoutAnyCopyToALivingNodeAtOnce) {
    Cluster cluster = at_rest(30, {"a", "b", "c"}, {.copies = 1});
    cluster.kill("a");
    cluster.step();
    EXPECT_EQ(cluster.leads()[NodeId("a")], 0U);
    EXPECT_LE(cluster.spread_of(cluster.leads()), 1U);
}

TEST(Placement, ReplacesCopiesOfTheDeadOnlyAfterAWhile) {
    Cluster cluster = at_rest(60, {"a", "b", "c", "d"});
    cluster.kill("a");
    cluster.settle();
    EXPECT_EQ(cluster.moved, 0U);
    EXPECT_EQ(cluster.leads()[NodeId("a")], 0U);
    EXPECT_EQ(cluster.loads()[NodeId("a")], 45U);
    cluster.set("a", Standing::dead, true);
    cluster.settle();
    EXPECT_EQ(cluster.moved, 45U);
    EXPECT_EQ(cluster.loads()[NodeId("a")], 0U);
    EXPECT_LE(cluster.spread_of(cluster.loads()), 1U);
}

TEST(Placement, KeepsTheDeadListedWhereNobodyCanReplaceThem) {
    Cluster cluster = at_rest(16, {"a", "b", "c"});
    cluster.kill("a", true);
    cluster.settle();
    EXPECT_EQ(cluster.loads()[NodeId("a")], 16U);
    EXPECT_EQ(cluster.leads()[NodeId("a")], 0U);
    cluster.set("a", Standing::live);
    cluster.settle();
    EXPECT_EQ(cluster.moved, 0U);
    EXPECT_LE(cluster.spread_of(cluster.leads()), 1U);
}

TEST(Placement, HoldsCopiesStillWhileHalfOfTheNodesAreGoneButPromotes) {
    Cluster cluster = at_rest(60, {"a", "b", "c", "d", "e"});
    for (const char* name : {"a", "b", "c"}) {
        cluster.kill(name, true);
    }
    EXPECT_FALSE(cluster.step().protected_why.empty());
    EXPECT_EQ(cluster.leads()[NodeId("d")] + cluster.leads()[NodeId("e")], 60U);
    cluster.sync();
    EXPECT_TRUE(cluster.step().assignments.empty());
    cluster.mode = Mode::forced;
    cluster.settle();
    EXPECT_EQ(cluster.loads()[NodeId("d")], 60U);
    EXPECT_EQ(cluster.loads()[NodeId("e")], 60U);
}

TEST(Placement, HoldsCopiesStillBelowTheNumberOfNodesThatIsProtected) {
    Cluster cluster = at_rest(60, {"a", "b", "c", "d", "e"}, {.protected_nodes = 4});
    cluster.kill("a", true);
    EXPECT_TRUE(cluster.step().protected_why.empty());
    cluster.settle();
    EXPECT_EQ(cluster.loads()[NodeId("a")], 0U);
    cluster.kill("b", true);
    EXPECT_EQ(cluster.step().protected_why,
              "3 data nodes live, and 4 are protected: copies stay where they are until so many "
              "live or placement is forced");
    EXPECT_EQ(cluster.leads()[NodeId("b")], 0U);
    cluster.sync();
    EXPECT_TRUE(cluster.step().assignments.empty());
    EXPECT_GT(cluster.loads()[NodeId("b")], 0U);
    cluster.mode = Mode::forced;
    cluster.settle();
    EXPECT_EQ(cluster.loads()[NodeId("b")], 0U);
}

TEST(Placement, StopsOnRequestButNeverWithoutALeader) {
    Cluster cluster = at_rest(60, {"a", "b", "c"});
    cluster.mode = Mode::stopped;
    cluster.add("d");
    EXPECT_TRUE(cluster.step().assignments.empty());
    cluster.kill("a", true);
    cluster.settle();
    EXPECT_EQ(cluster.leads()[NodeId("a")], 0U);
    EXPECT_EQ(cluster.loads()[NodeId("d")], 0U);
    cluster.mode = Mode::automatic;
    cluster.settle();
    EXPECT_LE(cluster.spread_of(cluster.loads()), 1U);
}

TEST(Placement, TakesTheLeadFromANodeThatLeavesAndItsCopiesIfItStays) {
    Cluster cluster = at_rest(60, {"a", "b", "c", "d"});
    cluster.set("a", Standing::leaving);
    cluster.step();
    EXPECT_EQ(cluster.leads()[NodeId("a")], 0U);
    cluster.settle();
    EXPECT_EQ(cluster.moved, 0U);
    cluster.set("a", Standing::leaving, true);
    cluster.settle();
    EXPECT_EQ(cluster.loads()[NodeId("a")], 0U);
    EXPECT_EQ(cluster.moved, 45U);
}

TEST(Placement, CopiesASlotThatOnlyALeavingNodeHoldsBeforeItGoes) {
    for (const Mode mode : {Mode::automatic, Mode::stopped}) {
        Cluster cluster = at_rest(64, {"a", "b"}, {.copies = 1});
        cluster.mode = mode;
        cluster.set("a", Standing::leaving);
        cluster.settle();
        EXPECT_EQ(cluster.leads()[NodeId("a")], 0U);
    }
}

TEST(Placement, BeginsABoundedNumberOfCopiesAtATime) {
    Cluster cluster = at_rest(256, {"a", "b", "c"}, {.moving_max = 10});
    cluster.add("d");
    Prng prng(1);
    for (int i = 0; i < 400; ++i) {
        ASSERT_LE(cluster.step().moving, 10U + 32U);  // new leaders make their followers catch up
        std::size_t fresh = 0;
        for (const auto& [where, copy] : cluster.copies) {
            fresh += copy.held.epoch == Epoch() ? 1 : 0;
        }
        ASSERT_LE(fresh, 10U);
        cluster.sync(&prng, 30);
    }
    EXPECT_LE(cluster.spread_of(cluster.loads()), 1U);
    EXPECT_EQ(cluster.moved, 192U);
}

TEST(Placement, CarriesOutAWishAndKeepsTo) {
    Cluster cluster = at_rest(40, {"a", "b", "c", "d"});
    SlotId slot;
    while (Cluster::holds(cluster.table.slots[slot.raw()], NodeId("d"))) {
        slot = SlotId(static_cast<std::uint16_t>(slot.raw() + 1));
    }
    for (const Mode mode : {Mode::stopped, Mode::automatic}) {
        cluster.mode = mode;
        cluster.wishes = {{slot, NodeId("d")}};
        cluster.settle();
        EXPECT_EQ(cluster.table.slots[slot.raw()].leader, NodeId("d"));
    }
    EXPECT_EQ(cluster.table.slots[slot.raw()].followers.size(), 2U);
    EXPECT_LE(cluster.spread_of(cluster.loads()), 1U);
    cluster.kill("d");
    cluster.settle();
    EXPECT_NE(cluster.table.slots[slot.raw()].leader, NodeId("d"));
}

TEST(Placement, HandsARestartedLeadersSlotsToTheFurthestCopy) {
    Cluster cluster = at_rest(3, {"a", "b", "c"}, {.copies = 3});
    const Slot& slot = cluster.table.slots[0];
    const NodeId leader = slot.leader;
    auto& first = cluster.copies[{slot.followers[0], SlotId(0)}];
    auto& second = cluster.copies[{slot.followers[1], SlotId(0)}];
    const auto heir = [&]() -> std::optional<NodeId> {
        for (const Assignment& one : plan_restart(cluster.view(), leader)) {
            if (one.slot == SlotId(0)) {
                EXPECT_NE(std::ranges::find(one.followers, leader), one.followers.end());
                return one.leader;
            }
        }
        return std::nullopt;
    };
    first = {.held = {Epoch(1), 5}, .synced = false};
    second = {.held = {Epoch(1), 6}, .synced = true};
    EXPECT_EQ(heir(), slot.followers[1]);
    second.held = {Epoch(1), 4};
    EXPECT_EQ(heir(), slot.followers[0]) << "it may act in the leader's stead: not called synced";
    first.held = {};
    second = {};
    EXPECT_EQ(heir(), std::nullopt) << "nobody has a copy";
}

TEST(Placement, SpreadsCopiesOverZones) {
    Cluster cluster(90);
    for (const char* name : {"a", "b", "c"}) {
        cluster.add(name, "z1");
    }
    cluster.settle();
    for (const char* name : {"d", "e", "f"}) {
        cluster.add(name, "z2");
    }
    cluster.add("g", "z3");
    cluster.add("h", "z3");
    cluster.add("i", "z3");
    cluster.settle();
    for (const Slot& slot : cluster.table.slots) {
        std::set<std::string> zones{cluster.nodes[slot.leader].zone};
        for (const NodeId& node : slot.followers) {
            zones.insert(cluster.nodes[node].zone);
        }
        EXPECT_EQ(zones.size(), 3U);
    }
    EXPECT_LE(cluster.spread_of(cluster.loads()), 1U);
    EXPECT_LE(cluster.spread_of(cluster.leads()), 1U);
}

TEST(Placement, MovesNoMoreThanItMustWhenANodeJoins) {
    for (const std::size_t copies : {1U, 2U, 3U}) {
        Cluster cluster = at_rest(240, {"a", "b", "c", "d"}, {.copies = copies});
        cluster.add("e");
        cluster.settle();
        EXPECT_EQ(cluster.moved, 240 * copies / 5);
        EXPECT_LE(cluster.spread_of(cluster.loads()), 1U);
        EXPECT_LE(cluster.spread_of(cluster.leads()), 1U);
    }
}

// What must hold in every cluster at rest.
void check_at_rest(const Cluster& cluster, bool even_zones) {
    const std::size_t live = cluster.live().size();
    std::map<std::string, std::size_t> zone_sizes;
    for (const NodeId& node : cluster.live()) {
        ++zone_sizes[cluster.nodes.at(node).zone];
    }
    for (std::size_t i = 0; i < cluster.table.slots.size(); ++i) {
        const Slot& slot = cluster.table.slots[i];
        ASSERT_TRUE(cluster.alive(slot.leader));
        std::set<NodeId> holders(slot.followers.begin(), slot.followers.end());
        holders.insert(slot.leader);
        std::set<std::string> zones;
        std::size_t live_holders = 0;
        for (const NodeId& node : holders) {
            if (cluster.nodes.at(node).standing == Standing::live) {
                ++live_holders;
                zones.insert(cluster.nodes.at(node).zone);
            }
        }
        ASSERT_EQ(live_holders, std::min(cluster.options.copies, live));
        ASSERT_EQ(zones.size(), std::min(live_holders, zone_sizes.size()));
    }
    if (even_zones) {
        EXPECT_LE(cluster.spread_of(cluster.loads()), 1U);
        EXPECT_LE(cluster.spread_of(cluster.leads()), 1U);
    }
}

TEST(Placement, ComesToRestWhereverItStartsAndWhateverHappens) {
    Prng prng(17);
    for (int run = 0; run < 100; ++run) {
        const std::size_t zones = prng.chance(1, 2) ? 1 : prng.between(2, 4);
        Cluster cluster(static_cast<std::uint16_t>(prng.between(1, 48)),
                        {.copies = prng.below(4) + 1, .moving_max = prng.below(12) + 1});
        std::size_t names = 0;
        const auto join = [&] {
            cluster.add("n" + std::to_string(names++), "z" + std::to_string(prng.below(zones)));
        };
        join();
        for (int event = 0; event < 30; ++event) {
            const auto who =
                std::next(cluster.nodes.begin(),
                          static_cast<std::ptrdiff_t>(prng.below(cluster.nodes.size())));
            const std::string name = who->first.raw();
            switch (prng.below(8)) {
                case 0:
                case 1:
                    if (names < 8) {
                        join();
                    }
                    break;
                case 2: cluster.kill(name, prng.chance(1, 2)); break;
                case 3: cluster.set(name, Standing::leaving, prng.chance(1, 2)); break;
                case 4: cluster.set(name, Standing::unheard); break;
                case 5: cluster.mode = prng.chance(1, 3) ? Mode::stopped : Mode::automatic; break;
                default: cluster.set(name, Standing::live); break;
            }
            for (std::uint64_t i = prng.below(6); i > 0; --i) {
                cluster.step();
                cluster.sync(&prng, 40);
            }
        }
        cluster.mode = Mode::forced;
        bool any = false;
        for (auto& [name, node] : cluster.nodes) {
            if (node.standing == Standing::unheard) {
                node.standing = Standing::live;
            }
            node.replace = node.standing != Standing::live;
            any = any || node.standing == Standing::live;
        }
        if (!any) {
            cluster.nodes.begin()->second.standing = Standing::live;
            cluster.nodes.begin()->second.replace = false;
        }
        cluster.settle();
        check_at_rest(cluster, zones == 1);
        if (HasFailure()) {
            FAIL() << "run " << run;
        }
    }
}

TEST(Placement, NamesManySlotsAndNodesInLittleTime) {
    Cluster cluster(4096, {.moving_max = 512, .leads_max = 512});
    for (int i = 0; i < 60; ++i) {
        cluster.add("n" + std::to_string(100 + i), "z" + std::to_string(i % 3));
    }
    cluster.settle();
    cluster.add("n200", "z0");
    cluster.add("n201", "z1");
    cluster.add("n202", "z2");
    cluster.settle();
    EXPECT_LE(cluster.spread_of(cluster.loads()), 1U);
    EXPECT_LE(cluster.spread_of(cluster.leads()), 1U);
}

}  // namespace
}  // namespace muster::placement
