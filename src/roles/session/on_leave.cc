#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "roles/session/session_impl.h"

namespace muster::session {

void SessionServer::Impl::leave(std::function<void()> gone) {
    if (handover_.begun()) {
        return;
    }
    env_.log.info("session.leaving", {{"clients", clients_.size()}});
    gone_ = std::move(gone);
    next_server_ = hash64(options_.node.raw());  // sessions that leave together spread out
    handover_.begin(env_.clock.mono(), clients_.size());
    beat_metas();
    arm_leaving(Duration::zero());
    flush();
}

// Sessions that clients may go to, in the order of the members.
std::vector<std::string> SessionServer::Impl::other_servers() const {
    std::vector<std::string> servers;
    for (const Member& member : view_.members()) {
        if (member.role == Role::session && member.node != options_.node &&
            member.phase == MemberPhase::live && !member.address.empty()) {
            servers.push_back(member.address);
        }
    }
    return servers;
}

void SessionServer::Impl::on_leave_timer() {
    const MonoTime now = env_.clock.mono();
    std::vector<Handover::Guest> guests;
    guests.reserve(clients_.size());
    for (const auto& [conn, client] : clients_) {
        guests.push_back({conn, client.port->follows_hints()});
    }
    std::ranges::sort(guests, {}, &Handover::Guest::conn);
    const std::vector<std::string> servers = other_servers();
    const Member* self = view_.find(options_.node, Role::session);
    const auto step =
        handover_.step(now, guests,
                       {.elsewhere = !servers.empty(),
                        .unlisted = self != nullptr && self->incarnation == options_.incarnation &&
                                    self->phase == MemberPhase::leaving,
                        .quiet = writes_.size() == 0 && room_.empty()});
    for (const env::ConnId conn : step.ask) {
        const std::string& to = servers[next_server_++ % servers.size()];
        probe_.clients_asked_to_go.add();
        clients_.at(conn).port->hint(conn, {.servers = servers, .move_to = to});
    }
    for (const env::ConnId conn : step.close) {
        probe_.clients_sent_away.add();
        msg::ClientPort* port = clients_.at(conn).port;
        on_client_closed(conn);
        port->close(conn, {Errc::unavailable, "this server is leaving"});
    }
    if (!step.done) {
        arm_leaving(handover_.pace());
        return;
    }
    env_.log.info("session.left", {{"clients", clients_.size()}, {"writes", writes_.size()}});
    if (gone_) {
        std::exchange(gone_, {})();
    }
}

}  // namespace muster::session
