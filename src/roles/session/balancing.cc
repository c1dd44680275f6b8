#include <algorithm>
#include <utility>

#include "roles/session/session_impl.h"

// Clients of a session that has too many go to those that have too few (docs/adr/0011).
namespace muster::session {

// Nobody is moved while something else is going on, here or elsewhere.
bool SessionServer::Impl::troubled() const {
    return handover_.begun() || cold_ || held_.has_value() || !view_.greeted() ||
           view_.loads().hold || view_.silence(env_.clock.mono()) > options_.balance.metas_silent;
}

void SessionServer::Impl::balance_clients() {
    const MonoTime now = env_.clock.mono();
    if (!balancer_.due(troubled(), now)) {
        return;
    }
    const bool before = balancer_.moving();
    const std::size_t away = balancer_.plan(staying_, loads_in_reach(), now);
    if (balancer_.moving() != before) {
        env_.log.info(before ? "session.balance.done" : "session.balance.begins",
                      {{"clients", staying_},
                       {"directed", probe_.clients_directed.value()},
                       {"closed", probe_.clients_closed_for_balance.value()}});
    }
    if (away > 0) {
        const auto is_idle = [this, waiting = pending_.waiting()](env::ConnId conn) {
            return !waiting.contains(conn) && !awaits_push(conn);
        };
        send_elsewhere(balancer_.choose(away, guests(), is_idle, now));
    }
}

// Those that clients can be sent to, and this one.
std::vector<msg::ClientLoad> SessionServer::Impl::loads_in_reach() const {
    std::vector<msg::ClientLoad> loads;
    for (const msg::ClientLoad& load : view_.loads().sessions) {
        const Member* member = view_.find(load.session, Role::session);
        if (member != nullptr && member->phase == MemberPhase::live && !member->address.empty()) {
            loads.push_back(load);
        }
    }
    return loads;
}

std::vector<Balancer::Guest> SessionServer::Impl::guests() const {
    std::vector<Balancer::Guest> guests;
    guests.reserve(clients_.size());
    for (const auto& [conn, client] : clients_) {
        if (client.port->keeps_connections()) {
            guests.push_back({conn, client.port->follows_hints(), client.since});
        }
    }
    std::ranges::sort(guests, {}, &Balancer::Guest::conn);
    return guests;
}

// A push was not acknowledged yet, or is to be sent.
bool SessionServer::Impl::awaits_push(env::ConnId conn) const {
    return clients_.at(conn).port->congested(conn) || pusher_.busy(conn);
}

void SessionServer::Impl::send_elsewhere(const Balancer::Step& step) {
    for (const auto& [conn, session] : step.ask) {
        const Member* member = view_.find(session, Role::session);
        probe_.clients_directed.add();
        clients_.at(conn).port->hint(conn, {.servers = server_list(), .move_to = member->address});
    }
    for (const env::ConnId conn : step.close) {
        msg::ClientPort* port = clients_.at(conn).port;
        probe_.clients_closed_for_balance.add();
        on_client_closed(conn);
        port->close(conn, {Errc::unavailable, "another server has fewer clients"});
    }
}

std::vector<ServerLoad> SessionServer::Impl::server_loads() const {
    std::map<std::string, msg::ClientLoad> known;  // by address
    std::uint64_t capacity_max = options_.client_capacity;
    for (const msg::ClientLoad& load : view_.loads().sessions) {
        if (const Member* member = view_.find(load.session, Role::session); member != nullptr) {
            known[member->address] = load;
            capacity_max = std::max(capacity_max, load.capacity);
        }
    }
    known[options_.address] = {.clients = staying_, .capacity = options_.client_capacity};
    std::vector<ServerLoad> loads;
    for (std::string& server : server_list()) {
        const auto told = known.find(server);
        const msg::ClientLoad& load = told == known.end() ? known[options_.address] : told->second;
        const std::uint64_t scaled =
            load.capacity == 0 ? load.clients : load.clients * capacity_max / load.capacity;
        loads.push_back({std::move(server), scaled});
    }
    return loads;
}

}  // namespace muster::session
