#include "sim/world/door.h"

#include <algorithm>
#include <vector>

namespace muster::sim {
namespace {

// A connection has one number on both sides.
env::ConnId conn_of(PipeId pipe) {
    return env::ConnId(pipe.raw());
}
PipeId pipe_of(env::ConnId conn) {
    return PipeId(conn.raw());
}

}  // namespace

Door::Door(Dialect dialect, Process& process, Pipes& pipes, session::ClientFace& session,
           Ended ended)
    : dialect_(std::move(dialect)),
      process_(process),
      pipes_(pipes),
      session_(session),
      ended_(std::move(ended)),
      last_tick_(process.clock().mono()) {
    process_.post(kTick, kTimerChannel, [this] { tick(); });
}

void Door::tick() {
    const MonoTime now = process_.clock().mono();
    const Duration stood = now - last_tick_ - kTick;
    last_tick_ = now;
    std::vector<PipeId> idle;
    for (auto& [pipe, conn] : conns_) {
        conn.heard = std::min(conn.heard + stood, now);
        if (now - conn.heard >= kIdleMax) {
            idle.push_back(pipe);
        }
    }
    for (const PipeId pipe : idle) {
        process_.note("closes idle pipe " + std::to_string(pipe.raw()));
        pipes_.close_from_server(pipe);
        on_closed(pipe);
    }
    process_.post(kTick, kTimerChannel, [this] { tick(); });
}

void Door::congest(PipeId pipe, Duration how_long) {
    const auto conn = conns_.find(pipe);
    if (conn == conns_.end() || conn->second.congested) {
        return;
    }
    conn->second.congested = true;
    process_.post(how_long, 1000 + pipe.raw(), [this, pipe] {
        if (const auto known = conns_.find(pipe); known != conns_.end()) {
            known->second.congested = false;
            session_.on_client_drained(conn_of(pipe));
        }
    });
}

void Door::on_accepted(PipeId pipe, const std::string& client) {
    conns_[pipe] = {.heard = process_.clock().mono()};
    session_.on_client_open(conn_of(pipe), {.address = client, .door = dialect_.name}, *this);
}

void Door::on_message(PipeId pipe, const ToServer& message) {
    const auto conn = conns_.find(pipe);
    if (conn == conns_.end()) {
        return;
    }
    conn->second.heard = process_.clock().mono();
    if (const auto* known = std::get_if<msg::ClientMessage>(&message)) {
        session_.on_client_message(conn_of(pipe), *known);
    } else {
        pipes_.send_to_client(pipe, HeartbeatAck{});
    }
}

void Door::on_closed(PipeId pipe) {
    if (conns_.erase(pipe) > 0) {
        ended_(pipe, ConnectionEnd::lost);
        session_.on_client_closed(conn_of(pipe));
    }
}

void Door::reply(env::ConnId conn, const msg::RequestReply& reply) {
    pipes_.send_to_client(pipe_of(conn), reply);
}

void Door::push(const msg::PushOrder& order) {
    for (const msg::PushTarget& target : order.targets) {
        msg::Push push{.view = order.view,
                       .delta = order.delta,
                       .scope = order.scope,
                       .zone = order.zone,
                       .subscribers = {}};
        for (const std::string_view id : target.subscribers) {
            push.subscribers.emplace_back(std::string(id));
        }
        pipes_.send_to_client(pipe_of(target.conn), std::move(push));
    }
}

void Door::push_config(env::ConnId conn, const msg::ConfigPush& push) {
    pipes_.send_to_client(pipe_of(conn), push);
}

void Door::hint(env::ConnId conn, const msg::ServerHint& hint) {
    pipes_.send_to_client(pipe_of(conn), hint);
}

bool Door::shows_incomplete() const {
    return dialect_.shows_incomplete;
}

bool Door::takes_deltas() const {
    return dialect_.takes_deltas;
}

bool Door::congested(env::ConnId conn) const {
    const auto known = conns_.find(pipe_of(conn));
    return known != conns_.end() && known->second.congested;
}

void Door::close(env::ConnId conn, const Error&) {
    conns_.erase(pipe_of(conn));
    ended_(pipe_of(conn), ConnectionEnd::sent_away);
    pipes_.close_from_server(pipe_of(conn));
}

}  // namespace muster::sim
