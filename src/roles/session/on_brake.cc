#include <algorithm>

#include "roles/session/session_impl.h"

// The brake of this session's own clients (docs/adr/0009): when more of them close or fall silent
// at once than is believed, what they published stays until they are heard again, an operator
// decides, or their time is over.
namespace muster::session {

// Whether one more client may be taken for gone, of so many that live.
bool SessionServer::Impl::may_go(std::size_t living, MonoTime now) {
    const bool braked = brake_.braking(kOwnClients);
    const bool may = brake_.admit(kOwnClients, 1, living, now);
    if (!may && !braked) {
        const auto trip = brake_.trip(kOwnClients);
        held_ = {.since = now, .why = brake_.why(*trip, "clients")};
        env_.log.error("session.brake.on", {{"why", held_->why}});
    }
    return may;
}

void SessionServer::Impl::note_suspects(std::size_t publications) {
    probe_.suspected_publications.add(publications);
}

void SessionServer::Impl::forget_held() {
    if (held_ && registrations_.suspects() == 0 && !brake_.braking(kOwnClients)) {
        env_.log.info("session.brake.off", {{"why", held_->why}});
        held_.reset();
    }
}

std::vector<msg::BrakeLine> SessionServer::Impl::brake_lines() const {
    if (!held_) {
        return {};
    }
    const MonoTime now = env_.clock.mono();
    const std::size_t held = registrations_.suspects();
    const Duration left = held > 0 ? registrations_.suspects_end() - now : Duration::zero();
    return {{.scope = msg::BrakeScope::session,
             .name = options_.node.raw(),
             .node = options_.node,
             .braking = brake_.braking(kOwnClients),
             .held = held,
             .why = held_->why,
             .age_ms = to_ms(now - held_->since),
             .left_ms = std::max<std::int64_t>(to_ms(left), 0)}};
}

void SessionServer::Impl::on(const msg::RoleAddress& from, const msg::BrakeRequest& request) {
    using Action = msg::BrakeRequest::Action;
    msg::BrakeReply reply{.incarnation = request.incarnation, .request = request.request};
    const bool mine =
        request.scope == msg::BrakeScope::session && request.name == options_.node.raw();
    if (request.action == Action::report) {
        reply.lines = brake_lines();
    } else if (mine && held_) {
        const MonoTime now = env_.clock.mono();
        const bool gone = request.action == Action::confirm;
        reply.brakes = 1;
        reply.publications = registrations_.suspects();
        OperatorWord word{.at = request.asked_at == NodeId{} ? from.node : request.asked_at,
                          .asked_by = asked_by_of(request.asked_by)};
        env_.log.warning(gone ? "session.brake.confirmed" : "session.brake.released",
                         {{"publications", reply.publications},
                          {"by", word.at.raw()},
                          {"asked_by", word.asked_by}});
        brake_.release(kOwnClients);
        if (gone) {
            auto ops = registrations_.drop_suspects(now, std::move(word));
            probe_.expired_publications.add(ops.size());
            write_all(std::move(ops));
        } else {
            registrations_.extend_suspects(options_.suspect_patience, now);
        }
        forget_held();
    }
    env_.outbox.send(from, reply);
}

}  // namespace muster::session
