#include "roles/meta/meta_impl.h"

// What sessions are told of each other's clients, so that those with too many direct some elsewhere
// (docs/adr/0011).
namespace muster::meta {

// Whether somebody may be about to go, or holds what went: clients stay where they are until it is
// known what becomes of it.
bool MetaServer::Impl::troubled() const {
    if (brake_on_ || !session_brakes_.empty() || !joining_.empty() || !all_heard()) {
        return true;
    }
    const MonoTime now = env_.clock.mono();
    for (const auto& [who, entry] : state_.members()) {
        const MemberPhase phase = phase_of(who, entry);
        const Liveness::Heard* heard = liveness_.find(who);
        const bool suspect = heard == nullptr || now - heard->last > options_.suspect_after ||
                             liveness_.ends_at(who.node, now).has_value();
        if (phase == MemberPhase::leaving || (phase == MemberPhase::live && suspect)) {
            return true;
        }
    }
    return false;
}

void MetaServer::Impl::tell_loads() {
    if (!leading_) {
        return;
    }
    std::vector<NodeId> live;
    for (const auto& [who, entry] : state_.members()) {
        if (who.role == Role::session && phase_of(who, entry) == MemberPhase::live) {
            live.push_back(who.node);
        }
    }
    loads_.tell(live, troubled(), consensus_.status().term.raw(), env_.clock.mono());
}

}  // namespace muster::meta
