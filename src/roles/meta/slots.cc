#include <algorithm>
#include <utility>

#include "roles/meta/meta_impl.h"

namespace muster::meta {

placement::View MetaServer::Impl::placement_view() const {
    placement::View view{.table = table(),
                         .slot_count = options_.slot_count,
                         .nodes = {},
                         .copies = copies_,
                         .wishes = state_.wishes(),
                         .mode = state_.placement_mode()};
    const MonoTime now = env_.clock.mono();
    for (const auto& [who, entry] : state_.members()) {
        if (who.role != Role::data) {
            continue;
        }
        placement::DataNode node{
            .node = who.node, .zone = entry.member.zone, .standing = placement::Standing::unheard};
        const MemberPhase phase = phase_of(who, entry);
        const Liveness::Heard* heard = liveness_.find(who);
        const bool this_life = heard != nullptr && heard->incarnation == entry.member.incarnation;
        if (phase == MemberPhase::dead) {
            node.standing = placement::Standing::dead;
        } else if (this_life && liveness_.within_lease(who, now)) {
            node.standing = phase == MemberPhase::leaving ? placement::Standing::leaving
                                                          : placement::Standing::live;
        }
        const auto in = in_phase_.find(who);
        node.replace = phase != MemberPhase::live && in != in_phase_.end() &&
                       in->second.phase == phase &&
                       now - in->second.since >= options_.replace_after;
        view.nodes.push_back(std::move(node));
    }
    return view;
}

void MetaServer::Impl::plan_soon(Duration delay) {
    const MonoTime at = env_.clock.mono() + delay;
    if (!plan_at_ || at < *plan_at_) {
        plan_at_ = at;
        env_.timers.arm(kPlan, delay);
    }
}

void MetaServer::Impl::keep_slots(bool even_out) {
    if (!ready() || assign_open_) {
        return;
    }
    note_phases();
    const MonoTime now = env_.clock.mono();
    if (!how_far_.empty()) {
        if (now < how_far_until_) {
            plan_soon(how_far_until_ - now);
            return;
        }
        how_far_.clear();
    }
    placement::Options options = options_.placement;
    options.leads_max = even_out ? options.leads_max : 0;
    placement::Plan plan = placement::plan(placement_view(), options);
    const bool forced = state_.placement_mode() == placement::Mode::forced;
    if (plan.protected_why != protected_why_) {
        env_.log.warning("meta.placement.protected", {{"why", plan.protected_why}});
    }
    if (forced && plan.protected_why.empty() && !mode_open_) {
        mode_open_ = true;
        propose(ModeOpen{}, SetPlacement{.mode = placement::Mode::automatic});
    }
    protected_why_ = std::move(plan.protected_why);
    moving_ = plan.moving;
    if (plan.assignments.empty()) {
        return;
    }
    plans_.add();
    assign_open_ = true;
    env_.log.info("meta.slots.assign",
                  {{"slots", plan.assignments.size()}, {"moving", plan.moving}});
    propose(AssignOpen{}, AssignSlots{.base = table().epoch,
                                      .slot_count = options_.slot_count,
                                      .slots = std::move(plan.assignments),
                                      .fence = fence()});
}

// The most caught-up follower shall lead, so those that were not heard since the leader ended are
// asked before one is chosen.
void MetaServer::Impl::ask_followers_of(const NodeId& leader) {
    const MonoTime ended = liveness_.first_sign(leader);
    const MonoTime now = env_.clock.mono();
    for (const Slot& slot : table().slots) {
        if (slot.leader != leader || slot.followers.size() < 2) {
            continue;  // nothing to choose
        }
        for (const NodeId& node : slot.followers) {
            const msg::RoleAddress who{.node = node, .role = Role::data};
            const MemberEntry* entry = state_.find(who);
            const Liveness::Heard* heard = liveness_.find(who);
            const bool can_answer = entry != nullptr && heard != nullptr &&
                                    phase_of(who, *entry) != MemberPhase::dead &&
                                    liveness_.within_lease(who, now);
            if (can_answer && heard->last < ended && how_far_.insert(who).second) {
                reply_soon(who);
            }
        }
    }
    how_far_until_ = now + options_.promote_wait;
}

void MetaServer::Impl::answered_how_far(const msg::RoleAddress& who) {
    if (how_far_.erase(who) > 0 && how_far_.empty()) {
        keep_slots();
    }
}

}  // namespace muster::meta
