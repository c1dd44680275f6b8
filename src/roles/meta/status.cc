#include <map>
#include <utility>

#include "roles/meta/meta_impl.h"

namespace muster::meta {

MetaStatus MetaServer::Impl::status() const {
    const MonoTime now = env_.clock.mono();
    MetaStatus status{.leads = leading_,
                      .ready = ready(),
                      .table_epoch = table().epoch,
                      .slots = table().slots.size(),
                      .members_epoch = state_.members_epoch(),
                      .ceiling = state_.ceiling(),
                      .watches = watches_.size(),
                      .consensus = consensus_.status()};
    status.placement = state_.placement_mode();
    status.protected_why = protected_why_;
    status.moving = moving_;
    status.braking = braking();
    std::map<NodeId, std::size_t> led;
    std::map<NodeId, std::size_t> followed;
    for (const Slot& slot : table().slots) {
        ++led[slot.leader];
        for (const NodeId& node : slot.followers) {
            ++followed[node];
        }
    }
    status.slots_without_leader = led[NodeId()];
    for (const auto& [key, entry] : state_.config()) {
        status.config_keys += entry.value ? 1 : 0;
    }
    for (const auto& [who, entry] : state_.members()) {
        MemberStatus member{.member = entry.member,
                            .known_before = entry.known_before,
                            .live = liveness_.within_lease(who, now)};
        if (const Liveness::Heard* heard = liveness_.find(who)) {
            member.silent_for = now - heard->last;
        }
        member.slots_led = who.role == Role::data ? led[who.node] : 0;
        member.slots_followed = who.role == Role::data ? followed[who.node] : 0;
        member.clients = who.role == Role::session ? loads_.clients_of(who.node) : 0;
        status.members.push_back(std::move(member));
    }
    return status;
}

msg::ClusterReport MetaServer::Impl::report() const {
    const MetaStatus now = status();
    msg::ClusterReport report{.leader = options_.node,
                              .term = now.consensus.term.raw(),
                              .metas = options_.metas,
                              .table = table(),
                              .members_epoch = now.members_epoch,
                              .version_ceiling = now.ceiling};
    for (const MemberStatus& one : now.members) {
        report.members.push_back({.member = one.member,
                                  .known_before = one.known_before,
                                  .silent_ms = one.silent_for ? to_ms(*one.silent_for) : -1,
                                  .slots_led = static_cast<std::uint32_t>(one.slots_led),
                                  .slots_followed = static_cast<std::uint32_t>(one.slots_followed),
                                  .clients = one.member.role == Role::session
                                                 ? static_cast<std::int64_t>(one.clients)
                                                 : -1});
    }
    report.copies = copies_.lines();
    using Placement = msg::ClusterReport::Placement;
    switch (now.placement) {
        case placement::Mode::automatic: report.placement = Placement::automatic; break;
        case placement::Mode::stopped: report.placement = Placement::stopped; break;
        case placement::Mode::forced: report.placement = Placement::forced; break;
    }
    report.protected_why =
        now.placement == placement::Mode::forced ? std::string() : now.protected_why;
    report.moving = static_cast<std::uint32_t>(now.moving);
    report.wishes.assign(state_.wishes().begin(), state_.wishes().end());
    return report;
}

void MetaServer::Impl::write_metrics(MetricsWriter& writer) const {
    const auto count = [&writer](std::string_view name, std::string_view help,
                                 const Counter& counter) {
        writer.counter(name, help, counter.value());
    };
    count("muster_meta_heartbeats_total", "Heartbeats taken", heartbeats_);
    count("muster_meta_replies_total", "Heartbeat replies sent", replies_);
    count("muster_meta_stale_heartbeats_total", "Heartbeats of an earlier life", stale_heartbeats_);
    count("muster_meta_refused_messages_total", "Messages over a bound or of a wrong sender",
          refused_messages_);
    count("muster_meta_joins_total", "New incarnations of members", joins_);
    count("muster_meta_ceiling_raises_total", "Raises of the version ceiling", raises_);
    count("muster_meta_slot_plans_total", "Slot assignments proposed", plans_);
    count("muster_meta_config_puts_total", "Configuration values set or cleared", puts_);
    count("muster_meta_config_refusals_total", "Configuration requests refused", refused_puts_);
    count("muster_meta_refused_proposals_total", "Proposals refused", refused_proposals_);
    count("muster_meta_pauses_total", "Times this process was stopped", pauses_);
    count("muster_meta_deaths_total", "Members taken for dead", deaths_);
    count("muster_meta_revivals_total", "Members heard again that were taken for dead", revivals_);
    count("muster_meta_forgotten_total", "Dead members forgotten", forgotten_);
    count("muster_meta_refused_nodes_total", "Nodes refused: their id is in use", refused_nodes_);
    count("muster_meta_operator_requests_total", "Requests of operators", operator_requests_);
    count("muster_meta_brake_trips_total", "Times the cluster's brake came on", brake_trips_);
    const MetaStatus now = status();
    std::int64_t live = 0;
    for (const MemberStatus& member : now.members) {
        live += member.live ? 1 : 0;
    }
    const auto gauge = [&writer](std::string_view name, std::string_view help, auto value) {
        writer.gauge(name, help, static_cast<std::int64_t>(value));
    };
    gauge("muster_meta_ready", "1 when data nodes are answered", now.ready ? 1 : 0);
    gauge("muster_meta_members", "Members known", now.members.size());
    gauge("muster_meta_members_live", "Members heard within their lease", live);
    gauge("muster_meta_table_epoch", "Epoch of the slot table", now.table_epoch.raw());
    gauge("muster_meta_slots_without_leader", "Slots nobody leads", now.slots_without_leader);
    gauge("muster_meta_copies_moving", "Copies of slots on their way", now.moving);
    gauge("muster_meta_brake", "1 while data nodes hold whatever closes or falls silent",
          now.braking.empty() ? 0 : 1);
    gauge("muster_meta_placement_stopped", "1 while an operator stopped placement",
          now.placement == placement::Mode::stopped ? 1 : 0);
    gauge("muster_meta_placement_protected", "1 while too few data nodes live to move copies",
          now.protected_why.empty() ? 0 : 1);
    gauge("muster_meta_version_ceiling", "Versions given stay below", now.ceiling.raw());
    gauge("muster_meta_config_keys", "Configuration values set", now.config_keys);
    gauge("muster_meta_config_watches", "Configuration keys watched by sessions", now.watches);
}

}  // namespace muster::meta
