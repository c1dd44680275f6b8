#include "roles/meta/copy_table.h"

#include <algorithm>
#include <utility>

namespace muster::meta {
namespace {

bool holds(const Slot& slot, const NodeId& node) {
    return slot.leader == node || std::ranges::find(slot.followers, node) != slot.followers.end();
}

}  // namespace

bool CopyTable::take(const msg::NodeHeartbeat& heartbeat, std::size_t slot_count, MonoTime now) {
    Node& node = nodes_[heartbeat.member.node];
    bool changed = node.table_epoch != heartbeat.table_epoch;
    if (node.life != heartbeat.member.incarnation) {
        node = {.life = heartbeat.member.incarnation};
        changed = true;
    }
    if (heartbeat.copies_whole) {
        for (auto& [slot, known] : node.copies) {
            known.state = {.slot = slot};
        }
        node.whole = true;
        node.whole_at = now;
        changed = true;
    }
    node.table_epoch = heartbeat.table_epoch;
    for (const msg::CopyState& state : heartbeat.copies) {
        if (state.slot.raw() < slot_count) {
            msg::CopyState& known = node.copies[state.slot].state;
            changed = changed || known.synced != state.synced;
            known = state;
        }
    }
    return changed;
}

bool CopyTable::wanted(const NodeId& node, MonoTime now) const {
    const auto found = nodes_.find(node);
    return found == nodes_.end() || !found->second.whole ||
           now - found->second.whole_at >= refresh_;
}

void CopyTable::begin_reign(const SlotTable& table) {
    led_since_.clear();
    reign_since_ = table.epoch;
    for (auto& [name, node] : nodes_) {
        node.whole = false;
    }
}

void CopyTable::change_table(const SlotTable& from, const SlotTable& to) {
    for (std::size_t i = 0; i < to.slots.size(); ++i) {
        const Slot& next = to.slots[i];
        const Slot before = i < from.slots.size() ? from.slots[i] : Slot{};
        if (before == next) {
            continue;
        }
        const SlotId slot(static_cast<std::uint16_t>(i));
        if (before.epoch != next.epoch) {
            led_since_[slot] = to.epoch;
        }
        for (auto& [name, node] : nodes_) {
            if (holds(next, name) && !holds(before, name)) {
                node.copies[slot] = {.state = {.slot = slot}, .since = to.epoch};
            } else if (!holds(next, name)) {
                node.copies.erase(slot);
            }
        }
    }
}

void CopyTable::forget(const NodeId& node) {
    nodes_.erase(node);
}

placement::Copy CopyTable::find(const NodeId& node, SlotId slot) const {
    const auto holder = nodes_.find(node);
    if (holder == nodes_.end()) {
        return {};
    }
    const auto known = holder->second.copies.find(slot);
    if (known == holder->second.copies.end()) {
        return {};
    }
    const auto led = led_since_.find(slot);
    const Epoch since =
        std::max(led == led_since_.end() ? reign_since_ : led->second, known->second.since);
    const msg::CopyState& state = known->second.state;
    return {.held = state.held, .synced = state.synced && holder->second.table_epoch >= since};
}

std::vector<msg::ClusterReport::CopyLine> CopyTable::lines() const {
    std::vector<msg::ClusterReport::CopyLine> lines;
    for (const auto& [name, node] : nodes_) {
        for (const auto& [slot, known] : node.copies) {
            lines.push_back({.node = name, .state = known.state});
        }
    }
    std::ranges::stable_sort(
        lines, [](const auto& a, const auto& b) { return a.state.slot < b.state.slot; });
    return lines;
}

}  // namespace muster::meta
