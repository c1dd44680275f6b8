#include "roles/data/session_links.h"

#include <algorithm>

namespace muster::data {

SessionLink* SessionLinks::hear(const NodeId& node, Incarnation incarnation, MonoTime now) {
    auto [found, inserted] = links_.try_emplace(node);
    SessionLink& link = found->second;
    if (!inserted && incarnation < link.incarnation) {
        return nullptr;
    }
    if (inserted || incarnation > link.incarnation) {
        link = SessionLink{
            .node = node, .incarnation = incarnation, .owner = owners_.of(node, incarnation)};
    }
    if (gone_.erase(node) > 0) {
        link.supplied.clear();
        link.asked.clear();
    }
    link.last_heard = now;
    return &link;
}

SessionLink* SessionLinks::find(const NodeId& node) {
    const auto found = links_.find(node);
    return found == links_.end() ? nullptr : &found->second;
}

const SessionLink* SessionLinks::find(const NodeId& node) const {
    const auto found = links_.find(node);
    return found == links_.end() ? nullptr : &found->second;
}

void SessionLinks::note_gone(const NodeId& node, GoneReason reason, MonoTime now) {
    const auto [known, inserted] = gone_.try_emplace(node, reason, now);
    if (!inserted && known->second.reason == GoneReason::silent && reason == GoneReason::closed) {
        known->second = {reason, now};
    }
}

std::optional<Gone> SessionLinks::gone(const NodeId& node) const {
    const auto known = gone_.find(node);
    return known == gone_.end() ? std::nullopt : std::optional(known->second);
}

void SessionLinks::note_silent(const std::vector<Member>& members, MonoTime now, Duration silence) {
    for (const auto& [node, link] : links_) {
        if (now - link.last_heard >= silence) {
            note_gone(node, GoneReason::silent, now);
        }
    }
    for (const Member& member : members) {
        if (member.role == Role::session && !links_.contains(member.node)) {
            note_gone(member.node, GoneReason::silent, now);
        }
    }
}

bool SessionLinks::all_supplied(const std::vector<Member>& members, SlotId slot, Epoch epoch,
                                MonoTime now, const Graces& graces) const {
    return std::ranges::all_of(members, [&](const Member& member) {
        if (member.role != Role::session) {
            return true;
        }
        const SessionLink* link = find(member.node);
        if (link != nullptr && link->incarnation >= member.incarnation &&
            link->has_supplied(slot, epoch) && !gone(member.node)) {
            return true;
        }
        const auto away = gone(member.node);
        return away && now - away->since >=
                           (away->reason == GoneReason::closed ? graces.closed : graces.silent);
    });
}

bool SessionLinks::all_heard_supplied(SlotId slot, Epoch epoch) const {
    return std::ranges::all_of(links_, [&](const auto& item) {
        return gone(item.first) || item.second.has_supplied(slot, epoch);
    });
}

void SessionLinks::extend(Duration gap) {
    for (auto& [node, gone] : gone_) {
        gone.since += gap;
    }
    for (auto& [node, link] : links_) {
        link.last_heard += gap;
    }
}

}  // namespace muster::data
