#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "roles/meta/meta_impl.h"

namespace muster::meta {
namespace {

bool well_formed(const msg::RoleAddress& from, const Member& member) {
    const auto fits = [](std::string_view name) { return name.size() <= kNameBytesMax; };
    return from.node == member.node && from.role == member.role && member.role != Role::meta &&
           !member.node.raw().empty() && fits(member.node.raw()) && fits(member.address) &&
           fits(member.peer_address) && fits(member.zone) && member.phase != MemberPhase::dead &&
           member.incarnation != Incarnation();
}

// Epochs grow one by one; a larger one was never given by any meta.
bool plausible(const msg::NodeHeartbeat& heartbeat) {
    return heartbeat.table_epoch.raw() < kEpochMax && heartbeat.members_epoch < kEpochMax &&
           heartbeat.lost.size() <= kMembersMax && heartbeat.copies.size() <= kSlotsMax &&
           heartbeat.brakes.size() <= 1;
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
    const Liveness::Heard* heard = liveness_.find(from);
    if (refuse_other_folder(from, heartbeat.member)) {
        return;
    }
    if ((known != nullptr && life < known->member.incarnation) ||
        (heard != nullptr && life < heard->incarnation)) {
        stale_heartbeats_.add();
        return;
    }
    const bool full = known == nullptr && state_.members().size() + joining_.size() >= kMembersMax;
    if (full || (heard == nullptr && liveness_.all().size() >= kMembersMax)) {
        refused_messages_.add();
        env_.log.error("meta.members.full", {{"node", from.node.raw()}});
        return;
    }
    if (heard != nullptr && life > heard->incarnation) {
        watches_.forget(from);  // what its earlier life watched
        told_.erase(from);
    }
    const bool was_live = liveness_.within_lease(from, env_.clock.mono());
    liveness_.hear(from, {.incarnation = life,
                          .last = env_.clock.mono(),
                          .table_epoch = heartbeat.table_epoch,
                          .members_epoch = heartbeat.members_epoch,
                          .loads_version = heartbeat.loads_version});
    take_news(from, heartbeat);
    if (!leading_) {
        return;
    }
    if (known == nullptr || life > known->member.incarnation) {
        join(heartbeat.member);
        return;
    }
    set_phase(from, heartbeat.member.phase);
    heal_epochs(heartbeat);
    reply_to(from);
    if (!was_live) {
        keep_slots();
    }
}

// What a heartbeat tells besides that its sender lives.
void MetaServer::Impl::take_news(const msg::RoleAddress& from,
                                 const msg::NodeHeartbeat& heartbeat) {
    auto lost = heartbeat.lost;
    std::erase_if(lost, [&](const auto& item) {
        return state_.find({.node = item.node, .role = Role::data}) == nullptr &&
               state_.find({.node = item.node, .role = Role::session}) == nullptr;
    });
    liveness_.report(from.node, lost, env_.clock.mono());
    if (from.role == Role::session) {
        loads_.take(from.node, heartbeat);
        session_brakes_.erase(from.node);
        if (!heartbeat.brakes.empty()) {
            session_brakes_.emplace(from.node, heartbeat.brakes);
        }
    }
    if (from.role == Role::data) {
        count_removals(from.node, heartbeat);
        const std::size_t slots =
            table().slots.empty() ? options_.slot_count : table().slots.size();
        if (copies_.take(heartbeat, slots, env_.clock.mono()) && leading_ && moving_ > 0) {
            // Reports come from many at a time; a plan takes about a microsecond for each slot.
            plan_soon(std::chrono::milliseconds(5) + std::chrono::microseconds(4 * slots));
        }
        // A version of another age is no reason to use up all that are left.
        constexpr Duration kAhead = std::chrono::hours(24 * 365 * 10);
        const Version latest = std::max(state_.ceiling(), version_at(env_.clock.wall()));
        if (heartbeat.version.raw() < latest.raw() + version_span(kAhead)) {
            highest_ = std::max(highest_, heartbeat.version);
        }
        answered_how_far(from);
    }
    if (!lost.empty()) {
        judge();
    }
}

// Two processes must not share a node id, or they would take each other's slots and clients.
bool MetaServer::Impl::refuse_other_folder(const msg::RoleAddress& from, const Member& member) {
    for (const Role role : {Role::data, Role::session}) {
        const msg::RoleAddress who{.node = from.node, .role = role};
        const MemberEntry* entry = state_.find(who);
        const auto joins = joining_.find(who);
        const bool used = entry != nullptr && entry->member.folder != member.folder &&
                          entry->member.phase != MemberPhase::dead;
        const bool taken = joins != joining_.end() && joins->second.folder != member.folder;
        if (used || taken) {
            const Member& other = taken ? joins->second : entry->member;
            refuse_node(
                from, member,
                fmt::format("node id {} is in use by the {} at {}, which runs from another "
                            "data folder: give this node an id of its own, or stop the "
                            "other one first",
                            from.node.raw(), to_string(role),
                            other.peer_address.empty() ? other.address : other.peer_address));
            return true;
        }
        if (role == from.role && entry != nullptr && entry->member.folder != member.folder &&
            member.incarnation <= entry->member.incarnation) {
            refuse_node(from, member,
                        fmt::format("node id {} was used from another data folder until later than "
                                    "this one was made: set the clock right, or remove the dead "
                                    "member first",
                                    from.node.raw()));
            return true;
        }
    }
    return false;
}

void MetaServer::Impl::refuse_node(const msg::RoleAddress& who, const Member& member,
                                   std::string why) {
    if (!leading_) {
        return;
    }
    refused_nodes_.add();
    env_.log.warning("meta.node.refused", {{"node", who.node.raw()},
                                           {"role", to_string(who.role)},
                                           {"folder", member.folder},
                                           {"why", why}});
    env_.outbox.send(who, msg::NodeRefused{.incarnation = member.incarnation,
                                           .folder = member.folder,
                                           .why = Error{Errc::conflict, std::move(why)}});
}

void MetaServer::Impl::join(const Member& member) {
    const msg::RoleAddress who{.node = member.node, .role = member.role};
    const auto open = joining_.find(who);
    if (open != joining_.end() && open->second.incarnation >= member.incarnation) {
        return;  // answered when it is agreed
    }
    if (joining_.size() >= options_.joins_waiting_max) {
        refused_messages_.add();
        return;
    }
    joining_[who] = member;
    env_.log.info("meta.member.joins", {{"node", member.node.raw()},
                                        {"role", to_string(member.role)},
                                        {"address", member.address},
                                        {"incarnation", member.incarnation.raw()}});
    MemberJoined command{.member = member, .fence = fence()};
    if (member.role == Role::data) {
        for (const placement::Assignment& one :
             placement::plan_restart(placement_view(), member.node)) {
            command.handed_over.push_back({.slot = one.slot, .to = one.leader});
        }
    }
    propose(JoinOpen{.who = who}, command);
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
    const Liveness::Heard* heard = liveness_.find(who);
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
    reply.want_copies = who.role == Role::data &&
                        (how_far_.contains(who) || copies_.wanted(who.node, env_.clock.mono()));
    if (who.role == Role::data) {
        reply.braking = braking();
    }
    if (who.role == Role::session && heard->loads_version != loads_.told().version) {
        reply.loads = loads_.told();
    }
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
    told_[who] = {.table_epoch = table().epoch, .members_epoch = state_.members_epoch()};
    env_.outbox.send(who, std::move(reply));
}

void MetaServer::Impl::reply_soon(const msg::RoleAddress& who) {
    owed_.insert(who);
    env_.timers.arm(kReplies, Duration::zero());
}

void MetaServer::Impl::owe_outdated() {
    // In a large cluster news of members wait for the next heartbeat: a start of all nodes would
    // otherwise send everybody the list once for everybody.
    constexpr std::size_t kToldOfMembersAtOnce = 64;
    const bool small = liveness_.all().size() <= kToldOfMembersAtOnce;
    const MonoTime now = env_.clock.mono();
    for (const auto& [who, heard] : liveness_.all()) {
        const Told told = told_.contains(who) ? told_.at(who) : Told{};
        const Epoch has = std::max(heard.table_epoch, told.table_epoch);
        const std::uint64_t has_members = std::max(heard.members_epoch, told.members_epoch);
        const bool outdated =
            has < table().epoch || (small && has_members < state_.members_epoch());
        if (outdated && liveness_.within_lease(who, now)) {
            owed_.insert(who);
        }
    }
}

void MetaServer::Impl::send_owed_replies() {
    if (std::exchange(tell_outdated_, false) && leading_) {
        owe_outdated();
    }
    for (const msg::RoleAddress& who : std::exchange(owed_, {})) {
        reply_to(who);
    }
}

}  // namespace muster::meta
