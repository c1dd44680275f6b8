#include "roles/data/data_impl.h"

namespace muster::data {

void DataServer::Impl::write_metrics(MetricsWriter& writer) const {
    write_holdings(writer);
    write_counts(writer);
}

void DataServer::Impl::write_holdings(MetricsWriter& writer) const {
    const DataStatus now = status();
    const auto gauge = [&](std::string_view name, std::string_view help, std::size_t value) {
        writer.gauge(name, help, static_cast<std::int64_t>(value));
    };
    gauge("muster_data_slots_led", "Slots this node leads.", now.slots_led);
    gauge("muster_data_slots_settled", "Led slots whose lists are complete.", now.slots_settled);
    gauge("muster_data_services", "Services with a datum.", now.services);
    gauge("muster_data_publications", "Publications held.", now.publications);
    gauge("muster_data_tombstones", "Removed registrations remembered.", now.tombstones);
    gauge("muster_data_sessions", "Sessions heard from.", now.sessions);
    gauge("muster_data_slots_acting", "Slots served because their leader is not heard.",
          now.slots_acting);
    gauge("muster_data_slots_followed", "Slots this node follows.", now.slots_followed);
    gauge("muster_data_slots_synced", "Followed slots that have all their leader told.",
          now.slots_synced);
    gauge("muster_data_publications_followed", "Publications held as a follower.",
          now.publications_followed);
    gauge("muster_data_slots_lost",
          "Slots this node led before its restart without metas, not fetched yet.", now.slots_lost);
    gauge("muster_data_doubts", "Data of which some session was not told all yet.", now.doubts);
    gauge("muster_data_orphans",
          "Publications of sessions that ended, kept until their clients had time to come back.",
          now.orphans);
    const auto held = [&](std::string_view reason, std::size_t value) {
        writer.gauge("muster_data_held", "Publications kept although no session answers for them.",
                     static_cast<std::int64_t>(value), {{"reason", reason}});
    };
    held("silent", now.held);
    held("unclaimed", now.unclaimed);
    gauge("muster_data_suspects", "Publications the brake keeps.", now.suspects);
    std::size_t drained = 0;
    for (const auto& [id, slot] : slots_.led()) {
        drained += slot->acting ? 0 : slot->store.drained_count();
    }
    gauge("muster_data_drained", "Publications of led slots that no list shows: they are drained.",
          drained);
    gauge("muster_data_services_braking", "Services of which the brake keeps some.",
          now.services_braking);
    gauge("muster_data_cluster_braking", "1 while the metas want everything held.",
          now.cluster_braking ? 1 : 0);
}

// What came of the writes of sessions.
void DataServer::Impl::write_outcomes(MetricsWriter& writer) const {
    const auto writes = [&](std::string_view outcome, const Counter& counter) {
        writer.counter("muster_data_writes_total", "Writes of sessions by outcome.",
                       counter.value(), {{"outcome", outcome}});
    };
    writes("changed", probe_.writes_changed);
    writes("refreshed", probe_.writes_refreshed);
    writes("ignored", probe_.writes_ignored);
    writes("superseded", probe_.writes_superseded);
    const auto refused = [&](std::string_view reason, const Counter& counter) {
        writer.counter("muster_data_batches_refused_total",
                       "Batches of writes that were sent by another slot table, or too early.",
                       counter.value(), {{"reason", reason}});
    };
    refused("not_leader", probe_.batches_of_others);
    refused("older_epoch", probe_.batches_older);
    refused("newer_epoch", probe_.batches_newer);
    refused("not_ready", probe_.batches_too_early);
}

void DataServer::Impl::write_counts(MetricsWriter& writer) const {
    write_outcomes(writer);
    const auto counter = [&](std::string_view name, std::string_view help, const Counter& value) {
        writer.counter(name, help, value.value());
    };
    counter("muster_data_changes_told_total", "Changes sent to interested sessions.",
            probe_.changes_told);
    counter("muster_data_snapshots_told_total", "Whole data sent to interested sessions.",
            probe_.snapshots_told);
    counter("muster_data_streams_ended_total",
            "Streams of changes ended because a session did not take them: it begins them anew.",
            probe_.streams_ended);
    counter("muster_data_interests_refused_total", "Interests refused over the limit.",
            probe_.interests_refused);
    counter("muster_data_repairs_total", "Digest differences looked into.", probe_.repairs);
    counter("muster_data_orphans_removed_total",
            "Publications removed because their session's clients did not come back.",
            probe_.orphans_removed);
    counter("muster_data_pauses_total", "Own pauses noticed.", probe_.pauses_noticed);
    counter("muster_data_suspected_total",
            "Publications kept by the brake though their client is probably gone.",
            probe_.suspects);
    counter("muster_data_marked_total", "Instances that operators drained or restored.",
            probe_.marked);
    counter("muster_data_suspects_removed_total",
            "Of them, removed when their time was over or an operator confirmed it.",
            probe_.suspects_removed);
    counter("muster_data_entries_sent_total", "Log entries sent to followers.",
            probe_.entries_sent);
    counter("muster_data_entries_resent_total", "Of them, sent again.", probe_.entries_resent);
    counter("muster_data_copies_differed_total",
            "Copies that differed from their leaders' at the same position, and were taken anew.",
            probe_.copies_differed);
    counter("muster_data_entries_taken_total", "Log entries taken from leaders.",
            probe_.entries_taken);
    counter("muster_data_images_sent_total", "Images begun for followers.", probe_.images_sent);
    counter("muster_data_images_taken_total", "Images taken from leaders.", probe_.images_taken);
    counter("muster_data_promotions_total", "Slots begun with a copy.", probe_.promotions);
    counter("muster_data_actings_total", "Slots taken up in their leader's stead.", probe_.actings);
    counter("muster_data_slots_regained_total",
            "Slots led again by the kept table, with a copy of others.", probe_.slots_regained);
    counter("muster_data_messages_put_off_total",
            "Messages of sessions that waited for versions to be reserved on disk.",
            probe_.messages_put_off);
    counter("muster_data_messages_dropped_total",
            "Messages of sessions dropped because too many waited.", probe_.messages_dropped);
    counter("muster_data_view_failures_total",
            "Writes of what is known of the cluster that failed.", view_.write_failures());
    counter("muster_data_older_tables_total",
            "Slot tables that were offered and ignored: older than the one that is used.",
            view_.older_tables());
    writer.histogram("muster_data_follower_lag_seconds",
                     "From an entry sent to a follower to its acknowledgement.",
                     probe_.follower_lag);
    write_stage(writer, Stage::session_to_leader, probe_.session_to_leader);
}

}  // namespace muster::data
