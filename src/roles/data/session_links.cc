#include "roles/data/session_links.h"

#include <algorithm>
#include <iterator>

namespace muster::data {

SessionLink* SessionLinks::hear(const NodeId& node, Incarnation incarnation, MonoTime now) {
    auto [found, inserted] = links_.try_emplace(node);
    SessionLink& link = found->second;
    if (!inserted && incarnation < link.incarnation) {
        return nullptr;
    }
    if (inserted || incarnation > link.incarnation) {
        store::OwnerId owner(++last_session_ << 32U);
        if (!inserted) {
            orphans_.push_back({link.owner, node, now});
            owner = store::OwnerId(link.owner.raw() + 1);
        }
        link = SessionLink{.node = node, .incarnation = incarnation, .owner = owner};
    }
    link.last_heard = now;
    return &link;
}

SessionLink* SessionLinks::find(const NodeId& node) {
    const auto found = links_.find(node);
    return found == links_.end() ? nullptr : &found->second;
}

bool SessionLinks::all_complete(const std::vector<Member>& members, SlotId slot,
                                Epoch epoch) const {
    return std::ranges::all_of(members, [&](const Member& member) {
        if (member.role != Role::session) {
            return true;
        }
        const auto link = links_.find(member.node);
        if (link == links_.end() || link->second.incarnation < member.incarnation) {
            return false;
        }
        return link->second.has_supplied(slot, epoch);
    });
}

std::vector<SessionLinks::Orphan> SessionLinks::expired(MonoTime now, Duration grace) const {
    std::vector<Orphan> expired;
    std::ranges::copy_if(orphans_, std::back_inserter(expired), [&](const Orphan& orphan) {
        return now - orphan.since >= grace;
    });
    return expired;
}

void SessionLinks::forget(const Orphan& orphan) {
    std::erase_if(orphans_, [&](const Orphan& known) { return known.owner == orphan.owner; });
}

void SessionLinks::extend(Duration gap) {
    for (Orphan& orphan : orphans_) {
        orphan.since += gap;
    }
    for (auto& [node, link] : links_) {
        link.last_heard += gap;
    }
}

}  // namespace muster::data
