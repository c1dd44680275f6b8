// Requests that were not carried out as they came, because too much was asked.
#include "roles/session/session_impl.h"

namespace muster::session {

void SessionServer::Impl::on_turn() {
    room_.begin_turn();
    while (const auto request = room_.take()) {
        carry_out(*request);
    }
    for (const env::ConnId conn : room_.take_relieved()) {
        if (const auto client = clients_.find(conn); client != clients_.end()) {
            client->second.port->go_on_reading(conn);
        }
    }
    turn_armed_ = false;
    await_turn();
}

void SessionServer::Impl::keep_waiting(env::ConnId conn, const msg::ClientMessage& message) {
    room_.put(conn, message);
    if (room_.is_crowding(conn)) {
        clients_.at(conn).port->stop_reading(conn);
    }
}

// A timer that is due at once fires when all that the sockets hold now was read: who leaves passes
// what waits.
void SessionServer::Impl::await_turn() {
    while (const auto excess = room_.take_excess()) {
        carry_out(*excess);
    }
    if (!turn_armed_ && room_.wants_turn()) {
        turn_armed_ = true;
        env_.timers.arm(kTurnTimer, Duration{});
    }
}

// Updates that were too many for one turn go on when all that the sockets hold now was read.
void SessionServer::Impl::arm_push_turn() {
    if (pusher_.wants_turn() && !push_turn_armed_) {
        push_turn_armed_ = true;
        env_.timers.arm(kPushTimer, Duration{});
    }
}

// What they published stays for as long as those need to come back whose connection we closed.
void SessionServer::Impl::close_silent() {
    for (const env::ConnId conn : pusher_.take_silent()) {
        const auto client = clients_.find(conn);
        if (client == clients_.end()) {
            continue;
        }
        msg::ClientPort* port = client->second.port;
        client->second.closed_by_us = true;
        probe_.clients_closed_silent.add();
        env_.log.warning("session.client.silent", {{"client", client->second.info.address},
                                                   {"door", client->second.info.door},
                                                   {"app", client->second.app.view()}});
        if (room_.closing_passes(conn)) {
            end_client(conn);
        }
        port->close(conn, {Errc::timeout, "no push was acknowledged for session.push_silent_max"});
    }
}

void SessionServer::Impl::carry_out(const WaitingRoom::Request& request) {
    if (const auto* said = std::get_if<WaitingRoom::Said>(&request)) {
        carry_out(said->conn, said->message);
    } else if (const auto* closing = std::get_if<WaitingRoom::Closing>(&request)) {
        end_client(closing->conn);
    } else if (const auto* question = std::get_if<WaitingRoom::Question>(&request)) {
        queries_.ask_services(question->token, question->query, *question->port, table(),
                              env_.clock.mono(), env_.outbox);
    }
}

void SessionServer::Impl::carry_out(env::ConnId conn, const msg::ClientMessage& message) {
    if (const auto client = clients_.find(conn); client != clients_.end()) {
        carry_out(conn, client->second, message);
    }
}

void SessionServer::Impl::carry_out(env::ConnId conn, Client& client,
                                    const msg::ClientMessage& message) {
    std::visit([&](const auto& known) { on(conn, client, known); }, message);
}

Result<void> SessionServer::Impl::admit_query(const std::string& address,
                                              const std::string& tenant) {
    if (room_.is_full()) {
        room_.note_refused();
        return fail(Errc::busy,
                    "as many queries wait here as may; ask again in a second, or ask another "
                    "server (limit session.queries_waiting_max)");
    }
    return query_limits_.admit(host_of(address), tenant, env_.clock.mono());
}

void SessionServer::Impl::query_services(std::uint64_t token, const msg::ListServices& query,
                                         QueryPort& port) {
    const WaitingRoom::Question question{token, query, &port};
    if (room_.question_passes()) {
        carry_out(question);
    } else {
        room_.put(question);
    }
    await_turn();
}

}  // namespace muster::session
