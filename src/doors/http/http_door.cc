#include "doors/http/http_door.h"

#include "doors/http/errors.h"

namespace muster::http {
namespace {

// Timers of connections are named by their ids, whose generation never gets that far.
constexpr env::TimerKey kSettle{std::uint64_t{1} << 63U};

Router routes_of(const HttpDoorOptions& options, bool shows_cluster) {
    Router router;
    add_health_routes(router);
    if (shows_cluster) {
        add_cluster_routes(router);
        add_brake_routes(router);
        add_propagation_routes(router);
        add_history_routes(router);
    }
    if (options.operators_only) {
        return router;
    }
    add_servers_routes(router);
    add_status_routes(router);
    add_instance_routes(router);
    add_watch_routes(router);
    add_config_routes(router);
    return router;
}

}  // namespace

HttpDoor::HttpDoor(HttpDoorOptions options, HttpDoorEnv env)
    : options_(std::move(options)),
      leases_(options_.leases_max),
      clients_(env.clients),
      queries_(env.queries),
      cluster_(env.cluster),
      state_{.options = options_,
             .queries = env.queries,
             .net = env.net,
             .clock = env.clock,
             .timers = env.timers,
             .router = routes_of(options_, env.cluster != nullptr),
             .site = {.clients = env.clients,
                      .queries = env.queries,
                      .clock = env.clock,
                      .leases = leases_,
                      .metrics = options_.metrics,
                      .readiness = options_.readiness,
                      .list_wait = options_.list_wait}} {
    state_.counters.answers.resize(state_.router.routes().size());
    options_.metrics.emplace_back([this](MetricsWriter& writer) { write_metrics(writer); });
}

Result<env::SocketAddress> HttpDoor::listen(const env::SocketAddress& at) {
    const auto listener = state_.net.listen(at, *this);
    if (!listener) {
        return std::unexpected(listener.error());
    }
    return state_.net.local_address(*listener);
}

Connection* HttpDoor::find(env::ConnId conn) {
    const auto at = connections_.find(conn);
    return at == connections_.end() || at->second->is_closed() ? nullptr : at->second.get();
}

void HttpDoor::settle() {
    if (settling_) {
        return;
    }
    settling_ = true;
    const SessionQueue::Ends ends{.clients = clients_,
                                  .queries = queries_,
                                  .client_port = *this,
                                  .query_port = *this,
                                  .cluster = cluster_,
                                  .cluster_port = *this};
    for (;;) {
        if (state_.to_session.deliver_next(ends)) {
            continue;
        }
        if (state_.runnable.empty()) {
            break;
        }
        const env::ConnId next = state_.runnable.front();
        state_.runnable.pop_front();
        if (Connection* connection = find(next)) {
            connection->run();
        }
    }
    for (const env::ConnId conn : state_.gone) {
        connections_.erase(conn);
    }
    state_.gone.clear();
    settling_ = false;
}

void HttpDoor::settle_soon() {
    const bool idle = state_.to_session.empty() && state_.runnable.empty() && state_.gone.empty();
    if (!settling_ && !idle) {
        state_.timers.arm(kSettle, Duration{});
    }
}

// ---- the Net

void HttpDoor::on_accepted(env::ConnId conn, const env::SocketAddress& peer) {
    if (connections_.size() >= options_.connections_max) {
        state_.counters.refuse(Refusal::connections);
        const auto response =
            error_response({Errc::busy, "this server has the most connections it may, " +
                                            std::to_string(options_.connections_max)});
        state_.net.send(conn, http1::write_response(
                                  response, {.keep_alive = false, .date = state_.clock.wall()}));
        state_.net.close(conn);
        return;
    }
    state_.counters.accepted.add();
    connections_[conn] = std::make_unique<Connection>(conn, env::to_string(peer), state_);
}

void HttpDoor::on_connected(env::ConnId /*conn*/) {}  // it dials nobody

void HttpDoor::on_bytes(env::ConnId conn, std::string_view bytes) {
    if (Connection* connection = find(conn)) {
        connection->on_bytes(bytes);
        settle();
    }
}

void HttpDoor::on_drained(env::ConnId conn) {
    if (Connection* connection = find(conn)) {
        connection->on_drained();
        settle();
    }
}

void HttpDoor::on_closed(env::ConnId conn, const Error& /*why*/) {
    if (Connection* connection = find(conn)) {
        connection->on_peer_closed();
        settle();
    }
}

void HttpDoor::on_timer(env::TimerKey key) {
    if (key != kSettle) {
        if (Connection* connection = find(env::ConnId(key.raw()))) {
            connection->on_deadline();
        }
    }
    settle();
}

// ---- the session

void HttpDoor::reply(env::ConnId conn, const msg::RequestReply& reply) {
    if (Connection* connection = find(conn)) {
        connection->on_reply(reply);
        settle_soon();
    }
}

void HttpDoor::push(const msg::PushOrder& order) {
    ListPush push(order);
    for (const msg::PushTarget& target : order.targets) {
        if (Connection* connection = find(target.conn)) {
            connection->on_push(push, target.subscribers);
        }
    }
    settle_soon();
}

void HttpDoor::push_config(env::ConnId conn, const msg::ConfigPush& push) {
    if (Connection* connection = find(conn)) {
        connection->on_config(push);
        settle_soon();
    }
}

// HTTP has no word for it: its clients ask for the list of servers when they need one.
void HttpDoor::hint(env::ConnId /*conn*/, const msg::ServerHint& /*hint*/) {}

bool HttpDoor::congested(env::ConnId conn) const {
    return state_.net.congested(conn);
}

void HttpDoor::close(env::ConnId conn, const Error& /*why*/) {
    if (Connection* connection = find(conn)) {
        connection->on_session_closes();
        settle_soon();
    }
}

Connection* HttpDoor::take_token(std::uint64_t token) {
    const auto at = state_.tokens.find(token);
    return at == state_.tokens.end() ? nullptr : find(at->second);
}

void HttpDoor::on_services(std::uint64_t token, const msg::ListServicesReply& reply) {
    if (Connection* connection = take_token(token)) {
        connection->on_services(token, reply);
        settle_soon();
    }
}

void HttpDoor::on_config_put(std::uint64_t token, const Result<Version>& result) {
    if (Connection* connection = take_token(token)) {
        connection->on_config_put(token, result);
        settle_soon();
    }
}

void HttpDoor::on_cluster(std::uint64_t token, const ClusterAnswer& answer) {
    if (Connection* connection = take_token(token)) {
        connection->on_cluster(token, answer);
        settle_soon();
    }
}

void HttpDoor::on_brake(std::uint64_t token, const BrakeOutcome& outcome) {
    if (Connection* connection = take_token(token)) {
        connection->on_brake(token, outcome);
        settle_soon();
    }
}

void HttpDoor::on_verify(std::uint64_t token, const Result<verify::Report>& report) {
    if (Connection* connection = take_token(token)) {
        connection->on_verify(token, report);
        settle_soon();
    }
}

void HttpDoor::on_propagation(std::uint64_t token, const Result<propagation::Report>& outcome) {
    if (Connection* connection = take_token(token)) {
        connection->on_propagation(token, outcome);
        settle_soon();
    }
}

void HttpDoor::on_marked(std::uint64_t token, const Result<propagation::DrainReport>& outcome) {
    if (Connection* connection = take_token(token)) {
        connection->on_marked(token, outcome);
        settle_soon();
    }
}

void HttpDoor::on_history(std::uint64_t token, const Result<propagation::HistoryReport>& outcome) {
    if (Connection* connection = take_token(token)) {
        connection->on_history(token, outcome);
        settle_soon();
    }
}

// ---- metrics

void HttpDoor::write_metrics(MetricsWriter& writer) const {
    const HttpCounters& counters = state_.counters;
    writer.gauge("muster_http_connections", "Open HTTP connections.",
                 static_cast<std::int64_t>(connections_.size()));
    writer.gauge("muster_http_streams", "Long polls and event streams under way.",
                 static_cast<std::int64_t>(state_.streams));
    writer.gauge("muster_http_leases", "Registrations made by HTTP and remembered here.",
                 static_cast<std::int64_t>(leases_.size()));
    writer.counter("muster_http_accepted_total", "HTTP connections accepted.",
                   counters.accepted.value());
    writer.counter("muster_http_idle_closed_total", "HTTP connections closed for being idle.",
                   counters.idle_closed.value());
    for (std::size_t i = 0; i < kRefusalNames.size(); ++i) {
        writer.counter("muster_http_refusals_total", "Requests and connections turned away.",
                       counters.refusals[i].value(), {{"reason", kRefusalNames[i]}});
    }
    static constexpr std::array<std::string_view, 5> kClasses{"1xx", "2xx", "3xx", "4xx", "5xx"};
    for (std::size_t i = 0; i < counters.answers.size(); ++i) {
        const Route& route = state_.router.routes()[i];
        for (std::size_t c = 0; c < kClasses.size(); ++c) {
            if (const auto count = counters.answers[i][c].value(); count > 0) {
                writer.counter(
                    "muster_http_answers_total", "Answers by route and status class.", count,
                    {{"method", route.method}, {"route", route.path}, {"status", kClasses[c]}});
            }
        }
    }
    writer.histogram("muster_http_request_seconds",
                     "From the whole request to its answer, watches not counted.",
                     counters.latency);
}

}  // namespace muster::http
