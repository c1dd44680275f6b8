#include <algorithm>

#include "roles/meta/meta_impl.h"

namespace muster::meta {
namespace {

bool well_formed(const msg::RoleAddress& from, const Member& member) {
    return from.node == member.node && from.role == member.role && member.role != Role::meta &&
           !member.node.raw().empty() && member.node.raw().size() <= kNameBytesMax &&
           member.address.size() <= kNameBytesMax && member.incarnation != Incarnation();
}

// Epochs grow one by one; a larger one was never given by any meta.
bool plausible(const msg::NodeHeartbeat& heartbeat) {
    return heartbeat.table_epoch.raw() < kEpochMax && heartbeat.members_epoch < kEpochMax;
}

}  // namespace

void MetaServer::Impl::on_unknown() {
    refused_messages_.add();
}

void MetaServer::Impl::on_heartbeat(const msg::RoleAddress& from,
                                    const msg::NodeHeartbeat& heartbeat) {
    heartbeats_.add();
    notice_pause();  // before leases are looked at: a message may come ahead of the tick
    if (!well_formed(from, heartbeat.member) || !plausible(heartbeat)) {
        refused_messages_.add();
        env_.log.warning("meta.heartbeat.malformed", {{"from", from.node.raw()}});
        return;
    }
    const Incarnation life = heartbeat.member.incarnation;
    const MemberEntry* known = state_.find(from);
    const HeardTable::Heard* heard = heard_.find(from);
    if ((known != nullptr && life < known->member.incarnation) ||
        (heard != nullptr && life < heard->incarnation)) {
        stale_heartbeats_.add();
        return;
    }
    const bool full = known == nullptr && state_.members().size() + joining_.size() >= kMembersMax;
    if (full || (heard == nullptr && heard_.all().size() >= kMembersMax)) {
        refused_messages_.add();
        env_.log.error("meta.members.full", {{"node", from.node.raw()}});
        return;
    }
    const bool was_live = heard_.live(from, env_.clock.mono());
    if (heard != nullptr && life > heard->incarnation) {
        watches_.forget(from);  // what its earlier life watched
    }
    heard_.hear(from, {.incarnation = life,
                       .last = env_.clock.mono(),
                       .table_epoch = heartbeat.table_epoch,
                       .members_epoch = heartbeat.members_epoch});
    if (!leading_) {
        return;
    }
    if (known == nullptr || life > known->member.incarnation) {
        join(heartbeat.member);
        return;
    }
    heal_epochs(heartbeat);
    reply_to(from);
    if (!was_live) {
        keep_slots();
    }
}

void MetaServer::Impl::join(const Member& member) {
    const msg::RoleAddress who{.node = member.node, .role = member.role};
    const auto open = joining_.find(who);
    if (open != joining_.end() && open->second >= member.incarnation) {
        return;  // answered when it is agreed
    }
    if (joining_.size() >= options_.joins_waiting_max) {
        refused_messages_.add();
        return;
    }
    joining_[who] = member.incarnation;
    env_.log.info("meta.member.joins", {{"node", member.node.raw()},
                                        {"role", to_string(member.role)},
                                        {"address", member.address},
                                        {"incarnation", member.incarnation.raw()}});
    propose(JoinOpen{.who = who}, MemberJoined{.member = member, .fence = fence()});
}

// A node that knows more than we ever said has lived with an earlier folder of ours.
void MetaServer::Impl::heal_epochs(const msg::NodeHeartbeat& heartbeat) {
    const bool ahead =
        heartbeat.table_epoch > table().epoch || heartbeat.members_epoch > state_.members_epoch();
    if (!ahead || epochs_open_) {
        return;
    }
    env_.log.error("meta.epochs.behind", {{"node", heartbeat.member.node.raw()},
                                          {"its_table_epoch", heartbeat.table_epoch.raw()},
                                          {"table_epoch", table().epoch.raw()}});
    epochs_open_ = true;
    propose(EpochsOpen{},
            RaiseEpochs{.table = std::max(heartbeat.table_epoch, table().epoch),
                        .members = std::max(heartbeat.members_epoch, state_.members_epoch())});
}

void MetaServer::Impl::reply_to(const msg::RoleAddress& who) {
    const MemberEntry* known = state_.find(who);
    const HeardTable::Heard* heard = heard_.find(who);
    const bool agreed =
        known != nullptr && heard != nullptr && heard->incarnation == known->member.incarnation;
    // A data node gives versions by this answer, so it must be of this life of ours.
    if (!leading_ || !agreed || (who.role == Role::data && !ceiling_raised_)) {
        return;
    }
    msg::NodeHeartbeatReply reply{.incarnation = known->member.incarnation,
                                  .known_before = known->known_before,
                                  .version_ceiling = state_.ceiling(),
                                  .table = {},
                                  .members_epoch = state_.members_epoch(),
                                  .members = {}};
    if (heard->table_epoch < table().epoch) {
        reply.table = table();
    }
    if (heard->members_epoch < state_.members_epoch()) {
        auto& members = reply.members.emplace();
        for (const auto& [address, entry] : state_.members()) {
            members.push_back(entry.member);
        }
    }
    replies_.add();
    env_.outbox.send(who, std::move(reply));
}

void MetaServer::Impl::reply_soon(const msg::RoleAddress& who) {
    owed_.insert(who);
    env_.timers.arm(kReplies, Duration::zero());
}

void MetaServer::Impl::reply_to_outdated_soon() {
    // In a large cluster news of members wait for the next heartbeat: a start of all nodes would
    // otherwise send everybody the list once for everybody.
    constexpr std::size_t kToldOfMembersAtOnce = 64;
    const bool small = heard_.all().size() <= kToldOfMembersAtOnce;
    const MonoTime now = env_.clock.mono();
    for (const auto& [who, heard] : heard_.all()) {
        const bool outdated = heard.table_epoch < table().epoch ||
                              (small && heard.members_epoch < state_.members_epoch());
        if (outdated && heard_.live(who, now)) {
            reply_soon(who);
        }
    }
}

void MetaServer::Impl::send_owed_replies() {
    for (const msg::RoleAddress& who : std::exchange(owed_, {})) {
        reply_to(who);
    }
}

}  // namespace muster::meta
