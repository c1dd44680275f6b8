#include "roles/session/slot_routes.h"

#include <algorithm>

namespace muster::session {

bool SlotRoutes::given_up(const Node& node, MonoTime now) const {
    return (node.unanswered_since && now - *node.unanswered_since >= patience_) ||
           (node.down_since && now - *node.down_since >= patience_);
}

bool SlotRoutes::reachable(const NodeId& node, MonoTime now) const {
    const auto known = nodes_.find(node);
    return known == nodes_.end() || !given_up(known->second, now);
}

Route SlotRoutes::choose(SlotId id, MonoTime now) const {
    const Slot& slot = table_.slots[id.raw()];
    if (slot.leader == NodeId{}) {
        return {.node = {}, .epoch = slot.epoch};
    }
    if (reachable(slot.leader, now)) {
        return {.node = slot.leader, .epoch = slot.epoch};
    }
    for (const NodeId& follower : slot.followers) {
        if (reachable(follower, now) && !unwilling_.contains({follower, id})) {
            return {.node = follower, .epoch = slot.epoch, .acting = true};
        }
    }
    return {.node = {}, .epoch = slot.epoch};
}

std::vector<SlotRoutes::Change> SlotRoutes::adopt(const SlotTable& table, MonoTime now) {
    table_ = table;
    routes_.resize(table.slots.size());
    unwilling_.clear();
    return reconsider(now);
}

std::vector<SlotRoutes::Change> SlotRoutes::reconsider(MonoTime now) {
    stale_ = false;
    std::erase_if(unwilling_, [&](const auto& item) { return now - item.second >= patience_; });
    std::vector<Change> changes;
    acting_ = 0;
    unserved_ = 0;
    for (std::size_t i = 0; i < routes_.size(); ++i) {
        const SlotId id(static_cast<std::uint16_t>(i));
        Route next = choose(id, now);
        acting_ += next.acting ? 1 : 0;
        unserved_ += next.node == NodeId{} ? 1 : 0;
        if (next != routes_[i]) {
            changes.push_back({id, routes_[i], next});
            routes_[i] = std::move(next);
        }
    }
    return changes;
}

void SlotRoutes::heard(const NodeId& node) {
    const auto known = nodes_.find(node);
    if (known == nodes_.end() || (!known->second.unanswered_since && !known->second.down_since)) {
        return;
    }
    known->second = {};
    stale_ = stale_ || acting_ + unserved_ > 0;
}

void SlotRoutes::asked(const NodeId& node, MonoTime now) {
    Node& known = nodes_[node];
    if (!known.unanswered_since) {
        known.unanswered_since = now;
    }
}

void SlotRoutes::on_link(const NodeId& node, msg::LinkEvent event, MonoTime now) {
    switch (event) {
        case msg::LinkEvent::up: heard(node); break;
        case msg::LinkEvent::closed: nodes_[node].down_since = now; break;
        case msg::LinkEvent::silent:  // for about as long already
            nodes_[node].down_since = now - patience_;
            stale_ = true;
            break;
    }
}

void SlotRoutes::will_not_act(const NodeId& node, SlotId slot, MonoTime now) {
    unwilling_[{node, slot}] = now;
    stale_ = true;
}

void SlotRoutes::extend(Duration gap) {
    for (auto& [id, node] : nodes_) {
        if (node.unanswered_since) {
            *node.unanswered_since += gap;
        }
        if (node.down_since) {
            *node.down_since += gap;
        }
    }
}

std::set<NodeId> SlotRoutes::missed() const {
    std::set<NodeId> leaders;
    for (std::size_t i = 0; i < routes_.size(); ++i) {
        const NodeId& leader = table_.slots[i].leader;
        if (leader != NodeId{} && routes_[i].node != leader) {
            leaders.insert(leader);
        }
    }
    return leaders;
}

}  // namespace muster::session
