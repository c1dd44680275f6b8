#include "apps/muster/server/role_options.h"

#include <algorithm>

#include "base/hash.h"

namespace muster::cli {

runtime::TcpNetOptions net_options(const runtime::ServerConfig& config) {
    const auto& net = config.net;
    std::string dial_from;
    if (config.cluster.listen && config.cluster.listen->ip != "0.0.0.0" &&
        config.cluster.listen->ip != "::") {
        dial_from = config.cluster.listen->ip;
    }
    return {.connections_max = net.connections_max,
            .queue_soft_max_bytes = net.queue_soft_max,
            .queue_hard_max_bytes = net.queue_hard_max,
            .backlog = static_cast<int>(net.backlog),
            .dial_timeout = net.dial_timeout,
            .dial_from = std::move(dial_from),
            .close_timeout = net.close_timeout,
            .keep_alive = {.idle = net.keepalive_idle,
                           .interval = net.keepalive_interval,
                           .probes = static_cast<int>(net.keepalive_probes),
                           .user_timeout = net.user_timeout}};
}

namespace {

store::BrakeLimits brake_limits(const runtime::ServerConfig::Brake& brake,
                                const runtime::ServerConfig::Brake::Limits& limits) {
    return {.window = brake.window,
            .count = limits.count,
            .percent = brake.enabled ? limits.percent : 100};
}

session::RateLimit rate_limit(const runtime::ServerConfig::Session::Rate& rate) {
    return {.per_second = rate.per_second, .burst = rate.burst};
}

}  // namespace

raft::RaftNodeOptions raft_options(const Identity& identity) {
    return {.cluster = hash64(identity.owner.cluster),
            .bootstrap = raft::Membership{.voters = identity.metas},
            .first_life = identity.life.now.raw(),
            .core = {.node = identity.node()}};
}

meta::MetaOptions meta_options(const runtime::ServerConfig& config, const Identity& identity) {
    return {
        .node = identity.node(),
        .incarnation = identity.life.now,
        .slot_count = static_cast<std::uint16_t>(config.slots),
        .member_lease = config.meta.member_lease,
        .placement = {.copies = config.copies, .protected_nodes = config.meta.protected_data_nodes},
        .brake = brake_limits(config.brake, config.brake.cluster),
        .metas = identity.metas};
}

data::DataOptions data_options(const runtime::ServerConfig& config, const Identity& identity) {
    return {.node = identity.node(),
            .metas = identity.metas,
            .incarnation = identity.life.now,
            .orphan_grace = config.data.orphan_grace,
            .silent_hold = config.data.silent_hold,
            .sync_patience = config.data.sync_patience,
            .brake = brake_limits(config.brake, config.brake.service),
            .suspect_patience = config.brake.patience};
}

// A small ring has small segments: what goes is one of several.
runtime::HistoryOptions history_options(const Foundation& base) {
    constexpr std::uint64_t kSegmentsMin = 8;
    runtime::HistoryOptions options;
    options.folder = base.folder.path() / "history";
    options.ring.bytes_max = base.config.history.size;
    options.ring.segment_bytes =
        std::min(options.ring.segment_bytes, options.ring.bytes_max / kSegmentsMin);
    return options;
}

session::SessionOptions session_options(const runtime::ServerConfig& config,
                                        const Identity& identity) {
    const auto& session = config.session;
    const auto& balance = config.balance;
    return {.node = identity.node(),
            .center = config.center,
            .metas = identity.metas,
            .incarnation = identity.life.now,
            .life_before = identity.life.before,
            .heartbeat_interval = session.heartbeat_interval,
            .write_wait = session.write_wait,
            .resend_interval = session.resend_interval,
            .push = {.timeout = session.push_timeout,
                     .silent_max = session.push_silent_max,
                     .updates_at_once = session.push_updates_at_once},
            .return_grace = session.return_grace,
            .brake = brake_limits(config.brake, config.brake.session),
            .suspect_patience = config.brake.patience,
            .balance = {.enabled = balance.enabled,
                        .limits = {.percent_over = balance.percent, .count_over = balance.count},
                        .grace = balance.grace,
                        .percent_per_second = balance.percent_per_second},
            .client_capacity = balance.capacity,
            .registrations_per_connection_max = session.registrations_per_connection_max,
            .client_changes = rate_limit(session.client_changes),
            .tenant_changes = rate_limit(session.tenant_changes),
            .flap_damping = {.flips = session.flap_damping.flips,
                             .window = session.flap_damping.window,
                             .hold = session.flap_damping.hold,
                             .percent = session.flap_damping.percent},
            .client_subscribes = rate_limit(session.client_subscribes),
            .tenant_subscribes = rate_limit(session.tenant_subscribes),
            .client_queries = rate_limit(session.client_queries),
            .tenant_queries = rate_limit(session.tenant_queries),
            .waiting = {.at_once = session.requests_at_once,
                        .queries_max = session.queries_waiting_max},
            .publication_bytes_max = session.publication_max,
            .boxes_per_publication_max = session.boxes_per_publication_max,
            .changes_kept_per_datum = session.changes_kept_per_datum};
}

doors::BoltPortOptions bolt_options(const runtime::ServerConfig& config) {
    const auto& bolt = config.bolt;
    return {.frame_limits = {.frame_bytes_max = bolt.frame_max},
            .idle_max = bolt.idle_timeout,
            .connections_max = bolt.connections_max,
            .connections_per_ip_max = bolt.connections_per_ip_max,
            .buffered_bytes_max = bolt.buffered_max};
}

http::HttpDoorOptions http_options(const runtime::ServerConfig& config) {
    http::HttpDoorOptions options;
    options.limits.body_bytes_max = config.http.body_max;
    options.connections_max = config.http.connections_max;
    options.streams_max = config.http.streams_max;
    options.leases_max = config.http.leases_max;
    options.idle_wait = config.http.idle_timeout;
    return options;
}

}  // namespace muster::cli
