#include <algorithm>

#include "roles/session/session_impl.h"

namespace muster::session {

void SessionServer::Impl::adopt_table() {
    registrations_.set_slot_count(table().slots.size());
    writes_.route(table().slots.size());
    reroute(routes_.adopt(table(), env_.clock.mono()));
}

// Who begins to serve a slot is supplied with what it has not acknowledged, and told again what we
// want to hear of.
void SessionServer::Impl::reroute(const std::vector<SlotRoutes::Change>& changes) {
    if (changes.empty()) {
        return;
    }
    probe_.slots_rerouted.add(changes.size());
    std::map<SlotId, std::vector<Registrations::Op>> begun;
    std::set<SlotId> moved;
    std::set<SlotId> alone;
    std::set<NodeId> left;
    for (const auto& change : changes) {
        moved.insert(change.slot);
        left.insert(change.before.node);
        if (change.now.node == NodeId{}) {
            rejoining_.erase(change.slot);
            alone.insert(change.slot);
            continue;
        }
        if (change.before.node == NodeId{} && change.before.epoch != Epoch{}) {
            rejoining_[change.slot] = registrations_.stamp();
        }
        begun.try_emplace(change.slot);
    }
    left.erase(NodeId{});
    const auto slot_is_in = [&](const auto& slots, const Service& service) {
        return slots.contains(slot_of(service, routes_.size()));
    };
    for (const NodeId& node : left) {
        interests_.forget(node,
                          [&](const Service& service) { return slot_is_in(moved, service); });
    }
    registrations_.for_each([&](const Registrations::Op& op) {
        const auto slot = begun.find(slot_of(*op.service, routes_.size()));
        if (slot != begun.end()) {
            slot->second.push_back(op);
        }
    });
    for (const auto& [slot, state] : begun) {
        writes_.restart(slot, state);
        unsupplied_.insert(slot);
    }
    for (auto& [name, copy] : copies_.all()) {
        if (slot_is_in(begun, *copy.service) &&
            !(copy.diverged && slot_is_in(rejoining_, *copy.service))) {
            declare(*server_of(*copy.service), copy);
        }
    }
    if (!alone.empty()) {
        serve_alone(alone);
    }
}

void SessionServer::Impl::declare(const NodeId& node, const DatumCopy& copy) {
    interests_.declare(node, copy.service, std::max(copy.version, copy.heard));
}

// Nobody can be reached who holds these: our clients' word goes into the last copies.
void SessionServer::Impl::serve_alone(const std::set<SlotId>& slots) {
    probe_.served_alone.add(slots.size());
    env_.log.warning("session.alone", {{"slots", slots.size()}});
    registrations_.for_each([&](const Registrations::Op& op) {
        if (slots.contains(slot_of(*op.service, routes_.size()))) {
            show_own(op);
        }
    });
    for (const SlotId slot : slots) {
        writes_.for_each(slot, [this](const WriteQueue::Op& op) { show_own(op); });
    }
}

void SessionServer::Impl::show_own(const WriteQueue::Op& op) {
    if (routes_.size() == 0 || server_of(*op.service) != nullptr) {
        return;
    }
    DatumCopy* copy = copies_.find(*op.service);
    if (copy != nullptr && copies_.fold_own(*copy, op.id, op.publication, op.order)) {
        pusher_.offer(*copy, env_.clock.mono());
    }
}

void SessionServer::Impl::rejoin() {
    if (rejoining_.empty()) {
        return;
    }
    std::set<SlotId> ready;
    std::erase_if(rejoining_, [&](const auto& item) {
        const bool done = !writes_.has_up_to(item.first, item.second);
        if (done) {
            ready.insert(item.first);
        }
        return done;
    });
    if (ready.empty()) {
        return;
    }
    for (auto& [name, copy] : copies_.all()) {
        const NodeId* node = server_of(*copy.service);
        if (node != nullptr && copy.diverged &&
            ready.contains(slot_of(*copy.service, routes_.size()))) {
            declare(*node, copy);
        }
    }
}

}  // namespace muster::session
