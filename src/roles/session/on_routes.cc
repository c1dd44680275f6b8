#include <algorithm>

#include "roles/session/session_impl.h"

namespace muster::session {

void SessionServer::Impl::adopt_table() {
    registrations_.set_slot_count(table().slots.size());
    writes_.route(table().slots.size());
    reroute(routes_.adopt(table(), env_.clock.mono()));
}

// Who begins to serve a slot is told by digest what we own, and from which versions on we want to
// hear. What it lacks of it it asks for; only what nobody acknowledged is said again unasked, and
// what went lately.
void SessionServer::Impl::reroute(const std::vector<SlotRoutes::Change>& changes) {
    if (changes.empty()) {
        return;
    }
    probe_.slots_rerouted.add(changes.size());
    std::set<SlotId> begun;
    std::set<SlotId> alone;
    for (const auto& change : changes) {
        if (change.now.node == NodeId{}) {
            rejoining_.erase(change.slot);
            alone.insert(change.slot);
            continue;
        }
        if (change.before.acting ||
            (change.before.node == NodeId{} && change.before.epoch != Epoch{})) {
            rejoining_[change.slot] = registrations_.stamp();
        }
        begun.insert(change.slot);
        writes_.restart(change.slot,
                        [this](const RegistId& id) { return registrations_.state_of(id); });
    }
    for (auto& op : registrations_.went_lately(begun)) {
        writes_.add(std::move(op), WaiterId{}, table().slots.size(), MonoTime{});  // said before
    }
    digests_due_.insert(begun.begin(), begun.end());
    const auto slot_is_in = [&](const auto& slots, const Service& service) {
        return slots.contains(slot_of(service, routes_.size()));
    };
    const auto waiting = interests_.forget_if([&](const Service& service) {
        return slot_is_in(begun, service) || slot_is_in(alone, service);
    });
    for (const auto& told : waiting) {
        copies_.note_departed(told);
    }
    for (auto& [name, copy] : copies_.all()) {
        if (slot_is_in(begun, *copy.service)) {
            declare(*server_of(*copy.service), copy);
        }
    }
    if (!alone.empty()) {
        serve_alone(alone);
    }
}

// Nobody can be reached who holds these: the last copies are served, with our clients' word in
// them, also what was acknowledged but not told back.
void SessionServer::Impl::serve_alone(const std::set<SlotId>& slots) {
    probe_.served_alone.add(slots.size());
    env_.log.warning("session.alone", {{"slots", slots.size()}});
    registrations_.for_each([&](const Registrations::Op& op) {
        if (slots.contains(slot_of(*op.service, routes_.size()))) {
            show_own(op);
        }
    });
    for (const auto& op : registrations_.went_lately(slots)) {
        show_own(op);
    }
    for (const SlotId slot : slots) {
        writes_.for_each(slot, [this](const WriteQueue::Op& op) { show_own(op); });
    }
}

// What only lost its connection or its lease is shown until a leader has judged that: its brake may
// hold it.
void SessionServer::Impl::show_own(const WriteQueue::Op& op) {
    if (routes_.size() == 0 || server_of(*op.service) != nullptr ||
        (op.publication == nullptr && !by_word(op.cause))) {
        return;
    }
    DatumCopy* copy = copies_.find(*op.service);
    if (copy == nullptr) {
        return;
    }
    const Version before = copy->version;
    if (copies_.fold_own(*copy, op.id, op.publication, op.order)) {
        for (const Version stray : pusher_.note_strays(*copy, before)) {
            copy->doubt(stray);
        }
        pusher_.offer(*copy, env_.clock.mono());
    }
}

bool SessionServer::Impl::waits_to_rejoin(const DatumCopy& copy) const {
    return copy.diverged && !rejoining_.empty() &&
           rejoining_.contains(slot_of(*copy.service, routes_.size()));
}

// On a stream of its own, so that nothing counts that was told before; one for all slots of a node,
// when what was said before it served the last of them is acknowledged.
void SessionServer::Impl::rejoin() {
    std::map<NodeId, bool> ready;
    for (const auto& [slot, seq] : rejoining_) {
        const auto all = ready.try_emplace(routes_.find(slot)->node, true).first;
        all->second = all->second && !writes_.has_up_to(slot, seq);
    }
    std::erase_if(rejoining_,
                  [&](const auto& item) { return ready.at(routes_.find(item.first)->node); });
    for (const auto& [node, all] : ready) {
        if (all) {
            restart_stream(node);
        }
    }
}

}  // namespace muster::session
