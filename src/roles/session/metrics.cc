#include "roles/session/session_impl.h"

namespace muster::session {

void SessionServer::Impl::write_metrics(MetricsWriter& writer) const {
    write_holdings(writer);
    write_client_counts(writer);
    write_flap_counts(writer);
    write_refusals(writer);
    write_cluster_counts(writer);
    write_push_counts(writer);
}

void SessionServer::Impl::write_holdings(MetricsWriter& writer) const {
    const SessionStatus now = status();
    const auto gauge = [&](std::string_view name, std::string_view help, std::size_t value) {
        writer.gauge(name, help, static_cast<std::int64_t>(value));
    };
    gauge("muster_session_connections", "Open client connections.", now.connections);
    gauge("muster_session_publications", "Publications of this session's clients.",
          now.publications);
    gauge("muster_session_suspects", "Publications the brake keeps.", now.suspects);
    gauge("muster_session_departed_publications",
          "Publications of clients that were sent to other sessions, kept for a while.",
          now.departed);
    gauge("muster_session_braking", "1 while more clients went at once than is believed.",
          now.braking ? 1 : 0);
    gauge("muster_session_subscriptions", "Subscriptions of this session's clients.",
          now.subscriptions);
    gauge("muster_session_watches", "Configuration watches.", now.watches);
    gauge("muster_session_services_cached", "Services with a copy here.", now.services_cached);
    gauge("muster_session_unacknowledged_writes", "Writes no slot leader has acknowledged.",
          now.unacknowledged_writes);
    gauge("muster_session_settled", "1 once clients of an earlier life had time to come back.",
          now.settled ? 1 : 0);
    gauge("muster_session_awaited", "Registrations known of an earlier life that are not back yet.",
          roster_.awaited());
}

void SessionServer::Impl::write_client_counts(MetricsWriter& writer) const {
    const auto counter = [&](std::string_view name, std::string_view help, const Counter& value) {
        writer.counter(name, help, value.value());
    };
    counter("muster_session_cold_ended_early_total",
            "Starts whose clients were all known and back before the return grace.",
            probe_.cold_ended_early);
    counter("muster_session_roster_failures_total",
            "Writes of the return roster that failed; a restart then waits for the return grace.",
            roster_.failures());
    counter("muster_session_registrations_total", "Registrations taken.", probe_.registrations);
    counter("muster_session_unregistrations_total", "Unregistrations taken.",
            probe_.unregistrations);
    counter("muster_session_refused_total", "Requests of clients refused, by item.",
            probe_.refused);
    counter("muster_session_closed_publications_total",
            "Publications removed because their connection closed.", probe_.closed_publications);
    counter("muster_session_expired_publications_total",
            "Publications removed because their lease ran out.", probe_.expired_publications);
    counter("muster_session_suspected_publications_total",
            "Publications kept by the brake though their client is probably gone.",
            probe_.suspected_publications);
    counter("muster_session_accepted_unacknowledged_total",
            "Requests answered before a slot leader acknowledged them.",
            probe_.accepted_unacknowledged);
    counter("muster_session_changes_total", "Changes folded into copies.", probe_.changes);
    counter("muster_session_gaps_total", "Changes that did not follow on the copy.", probe_.gaps);
    counter("muster_session_digests_differ_total",
            "Lists folded from changes that were not what their leader has; asked for whole.",
            probe_.digests_differ);
    counter("muster_session_superseded_total",
            "Publications let go of because their clients said something newer elsewhere.",
            probe_.superseded);
    counter("muster_session_streams_restarted_total", "Streams of changes begun anew.",
            probe_.streams_restarted);
    counter("muster_session_pauses_total", "Own pauses noticed.", probe_.pauses_noticed);
}

void SessionServer::Impl::write_refusals(MetricsWriter& writer) const {
    const auto by_limit = [&](std::string_view name, std::string_view help, const auto& limits) {
        writer.counter(name, help, limits.refused_of_clients().value(), {{"limit", "client"}});
        writer.counter(name, help, limits.refused_of_tenants().value(), {{"limit", "tenant"}});
    };
    writer.counter("muster_session_versions_disbelieved_total",
                   "Subscriptions that said to hold a version nobody can have given.",
                   probe_.versions_disbelieved.value());
    writer.counter("muster_session_versions_doubted_total",
                   "Subscriptions that said to hold a version which never led to the present one.",
                   probe_.versions_doubted.value());
    by_limit("muster_session_changes_refused_total",
             "Changes of publications refused because there were too many, by whose limit.",
             limits_);
    by_limit("muster_session_subscribes_refused_total",
             "Subscriptions refused because there were too many, by whose limit.",
             subscribe_limits_);
    by_limit("muster_session_queries_refused_total",
             "Queries refused because there were too many, by whose limit.", query_limits_);
    room_.write_metrics(writer);
}

void SessionServer::Impl::write_cluster_counts(MetricsWriter& writer) const {
    const auto gauge = [&](std::string_view name, std::string_view help, std::size_t value) {
        writer.gauge(name, help, static_cast<std::int64_t>(value));
    };
    const auto counter = [&](std::string_view name, std::string_view help, const Counter& value) {
        writer.counter(name, help, value.value());
    };
    gauge("muster_session_slots_acting", "Slots served by a follower in the leader's stead.",
          routes_.acting_count());
    gauge("muster_session_slots_unserved", "Slots that nobody serves who can be reached.",
          routes_.unserved_count());
    counter("muster_session_slots_rerouted_total", "Slots that another node or epoch served.",
            probe_.slots_rerouted);
    counter("muster_session_slots_alone_total", "Slots whose last copies were served.",
            probe_.served_alone);
    counter("muster_session_view_failures_total",
            "Writes of what is known of the cluster that failed.", view_.write_failures());
    counter("muster_session_older_tables_total",
            "Slot tables that were offered and ignored: older than the one that is used.",
            view_.older_tables());
    counter("muster_session_clients_asked_to_go_total", "Hints to go to another session.",
            probe_.clients_asked_to_go);
    counter("muster_session_clients_sent_away_total",
            "Connections closed so that their clients go to another session.",
            probe_.clients_sent_away);
    gauge("muster_session_clients", "Connections that stay, by which sessions are balanced.",
          staying_);
    gauge("muster_session_balancing", "1 while clients are sent to sessions with fewer.",
          balancer_.moving() ? 1 : 0);
    counter("muster_session_balance_directed_total", "Hints to go to a session with fewer clients.",
            probe_.clients_directed);
    counter("muster_session_balance_closed_total",
            "Connections closed so that their clients go to a session with fewer.",
            probe_.clients_closed_for_balance);
}

void SessionServer::Impl::write_push_counts(MetricsWriter& writer) const {
    const auto counter = [&](std::string_view name, std::string_view help, const Counter& value) {
        writer.counter(name, help, value.value());
    };
    const auto& push = pusher_.probe();
    counter("muster_push_sent_total", "Pushes sent.", push.pushes);
    counter("muster_push_whole_total", "Pushes of whole lists.", push.pushes_whole);
    counter("muster_push_delta_total", "Pushes of differences.", push.pushes_delta);
    counter("muster_push_acknowledged_total", "Pushes acknowledged.", push.acknowledged);
    counter("muster_push_refused_total", "Pushes their receiver could not use.", push.refused);
    counter("muster_push_timeouts_total", "Pushes not acknowledged in time.", push.timeouts);
    counter("muster_push_skipped_congested_total",
            "Pushes put off because the connection does not drain.", push.skipped_congested);
    counter("muster_push_held_back_incomplete_total",
            "Pushes put off because the list is not known completely yet.",
            push.held_back_incomplete);
    counter("muster_push_acks_unasked_total",
            "Acknowledgements of what was not in flight: too late, or of what was never sent.",
            push.acks_unasked);
    counter("muster_push_acks_ahead_total",
            "Of these, those of versions above all that was sent to the client.", push.acks_ahead);
    counter("muster_push_turns_total", "Turns taken for updates that were too many for one.",
            push.turns);
    counter("muster_push_clients_closed_total",
            "Clients closed because they acknowledged nothing for session.push_silent_max.",
            probe_.clients_closed_silent);
    writer.gauge("muster_push_lists_behind",
                 "Lists of clients that did not acknowledge in time what they were due.",
                 static_cast<std::int64_t>(pusher_.lists().late()));
    writer.histogram("muster_push_to_ack_seconds", "From push to its acknowledgement.",
                     push.push_to_ack);
    stages_.write_metrics(writer);
}

}  // namespace muster::session
