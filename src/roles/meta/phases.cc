#include <algorithm>
#include <utility>

#include "roles/meta/meta_impl.h"

// Who lives, leaves or is dead. That is agreed on, so that everybody is told the same and a new
// leader does not take it back; only what leads there (leases, signs) is each leader's own.
namespace muster::meta {

void MetaServer::Impl::on_link(const NodeId& node, msg::LinkEvent event) {
    notice_pause();
    const bool member = state_.find({.node = node, .role = Role::data}) != nullptr ||
                        state_.find({.node = node, .role = Role::session}) != nullptr;
    if (!member) {
        return;
    }
    switch (event) {
        case msg::LinkEvent::up: liveness_.up(node); break;
        case msg::LinkEvent::closed:
            liveness_.closed(node, env_.clock.mono());
            judge();
            break;
        case msg::LinkEvent::silent: break;  // its lease tells
    }
}

bool MetaServer::Impl::all_heard() const {
    return env_.clock.mono() - leading_since_ >= options_.member_lease;
}

// As it will be when what is proposed is agreed.
MemberPhase MetaServer::Impl::phase_of(const msg::RoleAddress& who,
                                       const MemberEntry& entry) const {
    const auto proposed = phasing_.find(who);
    return proposed == phasing_.end() ? entry.member.phase : proposed->second;
}

// Not known to be dead, and no new life of it is being agreed on.
bool MetaServer::Impl::may_have_died(const msg::RoleAddress& who, const MemberEntry& entry) const {
    const Liveness::Heard* heard = liveness_.find(who);
    const bool reborn = heard != nullptr && heard->incarnation > entry.member.incarnation;
    return !reborn && phase_of(who, entry) != MemberPhase::dead;
}

void MetaServer::Impl::set_phase(const msg::RoleAddress& who, MemberPhase phase) {
    const MemberEntry* entry = state_.find(who);
    if (entry == nullptr || phase_of(who, *entry) == phase) {
        return;
    }
    if (phase_of(who, *entry) == MemberPhase::dead) {
        revivals_.add();
        env_.log.warning("meta.member.back",
                         {{"node", who.node.raw()}, {"role", to_string(who.role)}});
    }
    propose_phases({{.node = who.node,
                     .role = who.role,
                     .incarnation = entry->member.incarnation,
                     .phase = phase}});
}

void MetaServer::Impl::propose_phases(std::vector<SetPhases::Item> items) {
    for (const SetPhases::Item& item : items) {
        phasing_[{.node = item.node, .role = item.role}] = item.phase;
    }
    propose(PhasesOpen{.items = items}, SetPhases{.items = items});
}

// Finds those that are dead by now.
void MetaServer::Impl::judge() {
    if (!leading_) {
        return;
    }
    const MonoTime now = env_.clock.mono();
    std::vector<SetPhases::Item> dead;
    std::vector<std::pair<NodeId, bool>> leaders;  // data nodes, and whether by signs
    for (const auto& [who, entry] : state_.members()) {
        if (!may_have_died(who, entry)) {
            continue;
        }
        const Liveness::Heard* heard = liveness_.find(who);
        const auto ends = liveness_.ends_at(who.node, now);
        const bool ended = ends && *ends <= now;
        const bool silent = heard == nullptr ? all_heard() : !liveness_.within_lease(who, now);
        if (!ended && !silent) {
            continue;
        }
        deaths_.add();
        env_.log.warning("meta.member.dead",
                         {{"node", who.node.raw()},
                          {"role", to_string(who.role)},
                          {"incarnation", entry.member.incarnation.raw()},
                          {"why", ended ? "its process ended" : "its lease is over"}});
        dead.push_back({.node = who.node,
                        .role = who.role,
                        .incarnation = entry.member.incarnation,
                        .phase = MemberPhase::dead});
        if (who.role == Role::data) {
            leaders.emplace_back(who.node, ended);
        }
    }
    if (!dead.empty()) {
        propose_phases(dead);
        for (const auto& [node, by_signs] : leaders) {
            if (by_signs) {
                ask_followers_of(node);
            }
        }
        for (const SetPhases::Item& item : dead) {
            liveness_.report(item.node, {}, now);  // what it said of others is over
            if (liveness_.ends_at(item.node, now)) {
                liveness_.believe_ended(item.node);
            }
        }
        keep_slots();
    }
    judge_soon();
}

// When the next sign is to be believed.
void MetaServer::Impl::judge_soon() {
    if (!leading_) {
        return;
    }
    const MonoTime now = env_.clock.mono();
    std::optional<MonoTime> next;
    for (const auto& [who, entry] : state_.members()) {
        if (!may_have_died(who, entry)) {
            continue;
        }
        if (const auto ends = liveness_.ends_at(who.node, now)) {
            next = std::min(next.value_or(*ends), *ends);
        }
    }
    if (next) {
        env_.timers.arm(kJudge, std::max(*next - now, Duration::zero()));
    }
}

void MetaServer::Impl::note_phases() {
    if (!leading_ || noted_members_ == state_.members_epoch()) {
        return;
    }
    noted_members_ = state_.members_epoch();
    const MonoTime now = env_.clock.mono();
    std::erase_if(in_phase_, [&](const auto& one) { return state_.find(one.first) == nullptr; });
    for (const auto& [who, entry] : state_.members()) {
        const auto [known, is_new] =
            in_phase_.try_emplace(who, InPhase{.phase = entry.member.phase, .since = now});
        if (!is_new && known->second.phase != entry.member.phase) {
            known->second = {.phase = entry.member.phase, .since = now};
        }
    }
}

void MetaServer::Impl::forget_the_dead() {
    if (!ready() || forget_open_) {
        return;
    }
    const MonoTime now = env_.clock.mono();
    for (const auto& [who, in] : in_phase_) {
        if (in.phase != MemberPhase::dead || now - in.since < options_.forget_after ||
            joining_.contains(who) || phasing_.contains(who)) {
            continue;
        }
        const bool leads =
            who.role == Role::data && std::ranges::any_of(table().slots, [&](const Slot& slot) {
                return slot.leader == who.node;
            });
        if (!leads) {
            forget_open_ = true;
            forgotten_.add();
            env_.log.info("meta.member.forgotten",
                          {{"node", who.node.raw()}, {"role", to_string(who.role)}});
            propose(ForgetOpen{}, RemoveMember{.node = who.node, .role = who.role});
            return;  // the others in the next ticks
        }
    }
}

// Who is no member and said nothing for long needs no memory.
void MetaServer::Impl::prune_heard() {
    const MonoTime now = env_.clock.mono();
    std::vector<msg::RoleAddress> gone;
    for (const auto& [who, heard] : liveness_.all()) {
        if (state_.find(who) == nullptr && !joining_.contains(who) &&
            now - heard.last > 10 * options_.member_lease) {
            gone.push_back(who);
        }
    }
    for (const msg::RoleAddress& who : gone) {
        liveness_.forget(who);
        watches_.forget(who);
        told_.erase(who);
        if (who.role == Role::data) {
            copies_.forget(who.node);
        } else {
            loads_.forget(who.node);
        }
    }
}

}  // namespace muster::meta
