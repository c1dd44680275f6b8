#include "roles/data/session_links.h"

#include <algorithm>
#include <utility>

namespace muster::data {
namespace {

// Longer than any grace: a member that is away for so long is missed by nobody.
constexpr Duration kRemembered = std::chrono::hours(1);

}  // namespace

SessionLink* SessionLinks::hear(const NodeId& node, Incarnation incarnation, MonoTime now) {
    auto found = links_.find(node);
    if (found != links_.end() && incarnation < found->second.incarnation) {
        return nullptr;
    }
    if (found == links_.end() || incarnation > found->second.incarnation) {
        SessionLink fresh{.node = node,
                          .incarnation = incarnation,
                          .owner = owners_.of(node, incarnation),
                          .tells = TellStream(tell_limits_)};
        found = links_.insert_or_assign(node, std::move(fresh)).first;
    }
    SessionLink& link = found->second;
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

void SessionLinks::note_up(const NodeId& node, MonoTime now) {
    const auto known = gone_.find(node);
    if (known != gone_.end() && known->second.reason == GoneReason::closed) {
        known->second = {GoneReason::silent, now};
    }
}

void SessionLinks::forgive_silence(MonoTime now) {
    for (auto& [node, gone] : gone_) {
        if (gone.reason == GoneReason::silent) {
            gone.since = now;
        }
    }
}

std::optional<Gone> SessionLinks::gone(const NodeId& node) const {
    const auto known = gone_.find(node);
    return known == gone_.end() ? std::nullopt : std::optional(known->second);
}

void SessionLinks::learn(const std::vector<Member>& members, MonoTime now) {
    std::map<NodeId, Incarnation> before = std::exchange(members_, {});
    for (const Member& member : members) {
        if (member.role == Role::session) {
            members_[member.node] = member.incarnation;
            removed_.erase(member.node);
            before.erase(member.node);
        }
    }
    for (const auto& [node, life] : before) {
        removed_.try_emplace(node, now);
    }
}

void SessionLinks::note_silent(MonoTime now, Duration silence) {
    for (const auto& [node, link] : links_) {
        if (now - link.last_heard >= silence) {
            note_gone(node, GoneReason::silent, now);
        }
    }
    for (const auto& [node, life] : members_) {
        if (!links_.contains(node)) {
            note_gone(node, GoneReason::silent, now);
        }
    }
    std::erase_if(removed_, [&](const auto& item) { return now - item.second >= kRemembered; });
}

bool SessionLinks::all_supplied(SlotId slot, Epoch epoch, MonoTime now,
                                const Graces& graces) const {
    const auto supplied = [&](const NodeId& node, Incarnation life) {
        const SessionLink* link = find(node);
        return link != nullptr && link->incarnation >= life && link->has_supplied(slot, epoch) &&
               !gone(node);
    };
    const auto away = [&](const NodeId& node, std::optional<MonoTime> removed) {
        const auto gone = this->gone(node);
        if (!gone) {
            return removed && now - *removed >= graces.silent;
        }
        return now - gone->since >=
               (gone->reason == GoneReason::closed ? graces.closed : graces.silent);
    };
    return std::ranges::all_of(members_,
                               [&](const auto& member) {
                                   const auto& [node, life] = member;
                                   return supplied(node, life) || away(node, std::nullopt);
                               }) &&
           std::ranges::all_of(removed_, [&](const auto& removed) {
               const auto& [node, since] = removed;
               return supplied(node, {}) || away(node, since);
           });
}

bool SessionLinks::any_supplied(SlotId slot, Epoch epoch) const {
    return std::ranges::any_of(links_, [&](const auto& item) {
        return !gone(item.first) && item.second.has_supplied(slot, epoch);
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
    for (auto& [node, since] : removed_) {
        since += gap;
    }
    for (auto& [node, link] : links_) {
        link.last_heard += gap;
    }
}

}  // namespace muster::data
