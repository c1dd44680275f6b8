#include "roles/meta/plan_slots.h"

#include <algorithm>
#include <map>

namespace muster::meta {
namespace {

bool contains(const std::vector<NodeId>& sorted, const NodeId& node) {
    return std::binary_search(sorted.begin(), sorted.end(), node);
}

using Shares = std::map<NodeId, std::vector<std::uint16_t>>;

// The first of the nodes with fewest slots, in the order of their names.
Shares::iterator smallest(Shares& shares) {
    return std::min_element(shares.begin(), shares.end(), [](const auto& a, const auto& b) {
        return a.second.size() < b.second.size();
    });
}

Shares::iterator largest(Shares& shares) {
    return std::max_element(shares.begin(), shares.end(), [](const auto& a, const auto& b) {
        return a.second.size() < b.second.size();
    });
}

}  // namespace

std::vector<AssignSlots::Assignment> plan_slots(const SlotsView& view,
                                                const SlotsOptions& options) {
    if (view.live.empty()) {
        return {};
    }
    const std::size_t count = view.table.slots.empty() ? view.slot_count : view.table.slots.size();
    Shares shares;
    for (const NodeId& node : view.live) {
        shares[node];
    }
    std::vector<std::uint16_t> orphans;
    for (std::size_t i = 0; i < count; ++i) {
        const NodeId leader = i < view.table.slots.size() ? view.table.slots[i].leader : NodeId();
        const auto slot = static_cast<std::uint16_t>(i);
        if (contains(view.live, leader)) {
            shares[leader].push_back(slot);
        } else if (leader.raw().empty() || !contains(view.unheard, leader)) {
            orphans.push_back(slot);
        }
    }
    std::map<std::uint16_t, NodeId> moved;
    for (const std::uint16_t slot : orphans) {
        const auto to = smallest(shares);
        to->second.push_back(slot);
        moved[slot] = to->first;
    }
    for (std::size_t moves = 0; moves < options.moves_max; ++moves) {
        const auto from = largest(shares);
        const auto to = smallest(shares);
        if (from->second.size() <= to->second.size() + 1) {
            break;
        }
        const std::uint16_t slot = from->second.back();
        from->second.pop_back();
        to->second.push_back(slot);
        moved[slot] = to->first;
    }
    std::vector<AssignSlots::Assignment> plan;
    for (const auto& [slot, leader] : moved) {
        plan.push_back({.slot = SlotId(slot), .leader = leader, .followers = {}});
    }
    return plan;
}

}  // namespace muster::meta
