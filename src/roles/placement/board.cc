#include "roles/placement/board.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/check.h"

namespace muster::placement {

Holder* BoardSlot::find(std::size_t node) {
    const auto found =
        std::ranges::find_if(holders, [node](const Holder& one) { return one.node == node; });
    return found == holders.end() ? nullptr : &*found;
}

bool BoardSlot::holds(std::size_t node) const {
    return std::ranges::any_of(holders, [node](const Holder& one) { return one.node == node; });
}

Board::Board(const View& view, std::size_t copies_wanted) : copies(copies_wanted) {
    std::map<NodeId, std::size_t> numbers;
    std::map<std::string, std::size_t> zones;
    for (const DataNode& node : view.nodes) {
        numbers.emplace(node.node, nodes.size());
        const std::size_t zone = zones.emplace(node.zone, zones.size()).first->second;
        nodes.push_back(
            {.name = node.node, .zone = zone, .standing = node.standing, .replace = node.replace});
        unheard = unheard || node.standing == Standing::unheard;
    }
    const auto number_of = [&](const NodeId& name) {
        const auto [found, is_new] = numbers.emplace(name, nodes.size());
        if (is_new) {
            nodes.push_back({.name = name});  // nobody knows it: dead
        }
        return found->second;
    };
    slots.resize(view.table.slots.empty() ? view.slot_count : view.table.slots.size());
    for (std::size_t i = 0; i < slots.size(); ++i) {
        BoardSlot& slot = slots[i];
        const SlotId id(static_cast<std::uint16_t>(i));
        if (const auto wish = view.wishes.find(id); wish != view.wishes.end()) {
            slot.wish = number_of(wish->second);
        }
        if (i >= view.table.slots.size() || view.table.slots[i].leader.raw().empty()) {
            slot.never_led = true;
            continue;
        }
        const auto add_holder = [&](const NodeId& name) {
            const Copy copy = view.copies.find(name, id);
            slot.holders.push_back(
                {.node = number_of(name), .held = copy.held, .synced = copy.synced});
        };
        slot.has_leader = true;
        add_holder(view.table.slots[i].leader);
        slot.holders.front().synced = true;
        for (const NodeId& follower : view.table.slots[i].followers) {
            add_holder(follower);
        }
        ++nodes[slot.holders.front().node].led;
    }
}

std::vector<Assignment> Board::changes(const SlotTable& table) const {
    std::vector<Assignment> changed;
    for (std::size_t i = 0; i < slots.size(); ++i) {
        if (!slots[i].has_leader) {
            continue;
        }
        Assignment next{.slot = SlotId(static_cast<std::uint16_t>(i)),
                        .leader = nodes[slots[i].holders.front().node].name,
                        .followers = {}};
        for (std::size_t at = 1; at < slots[i].holders.size(); ++at) {
            next.followers.push_back(nodes[slots[i].holders[at].node].name);
        }
        const bool same = i < table.slots.size() && table.slots[i].leader == next.leader &&
                          table.slots[i].followers == next.followers;
        if (!same) {
            changed.push_back(std::move(next));
        }
    }
    return changed;
}

void Board::lead(BoardSlot& slot, std::size_t node) {
    Holder* next = slot.find(node);
    CHECK(next != nullptr && slot.has_leader);
    --nodes[slot.holders.front().node].led;
    ++nodes[node].led;
    std::swap(slot.holders.front(), *next);
    slot.moved = true;
}

void Board::add(BoardSlot& slot, std::size_t node) {
    CHECK(!slot.holds(node));
    slot.holders.push_back({.node = node, .held = {}, .synced = false});
}

void Board::drop(BoardSlot& slot, std::size_t node) {
    CHECK(slot.has_leader && slot.holders.front().node != node);
    std::erase_if(slot.holders, [node](const Holder& one) { return one.node == node; });
}

std::size_t Board::moving() const {
    std::size_t count = 0;
    for (const BoardSlot& slot : slots) {
        for (std::size_t at = 1; at < slot.holders.size(); ++at) {
            const Holder& holder = slot.holders[at];
            count += !holder.synced && nodes[holder.node].standing != Standing::dead ? 1 : 0;
        }
    }
    return count;
}

std::size_t Board::crowding(const std::vector<std::size_t>& holders) const {
    std::size_t pairs = 0;
    for (std::size_t i = 0; i < holders.size(); ++i) {
        for (std::size_t j = i + 1; j < holders.size(); ++j) {
            pairs += nodes[holders[i]].zone == nodes[holders[j]].zone ? 1 : 0;
        }
    }
    return pairs;
}

}  // namespace muster::placement
