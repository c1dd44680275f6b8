#include <algorithm>

#include "roles/data/data_impl.h"

// What the data server tells metas and operators of itself.
namespace muster::data {
namespace {

// A change of a copy is said in the heartbeats of so long, as one may be lost.
constexpr Duration kReportChanges = std::chrono::seconds(1);

}  // namespace

void DataServer::Impl::heartbeat() {
    view_.beat({.member = {.node = options_.node,
                           .role = Role::data,
                           .address = options_.address,
                           .incarnation = options_.incarnation,
                           .peer_address = options_.peer_address,
                           .zone = options_.zone,
                           .folder = options_.folder},
                .copies = copies_to_report(report_whole_),
                .copies_whole = report_whole_,
                .lost = {lost_.begin(), lost_.end()},
                .version = versions_.latest()});
}

std::vector<msg::CopyState> DataServer::Impl::copies_to_report(bool whole) {
    const MonoTime now = env_.clock.mono();
    std::vector<msg::CopyState> copies;
    std::map<SlotId, Reported> reported;
    const auto look = [&](const msg::CopyState& state) {
        const auto known = reported_.find(state.slot);
        const bool changed = known == reported_.end() || known->second.state != state;
        const Reported next{state, changed ? now : known->second.changed};
        reported.emplace(state.slot, next);
        if (whole || now - next.changed < kReportChanges) {
            copies.push_back(state);
        }
    };
    for (const auto& [id, slot] : slots_.led()) {
        if (slot->acting) {
            look({.slot = id, .held = slot->acts_from, .synced = false});
        } else {
            look({.slot = id, .held = slot->log.position(), .synced = true});
        }
    }
    for (const auto& [id, slot] : slots_.followed()) {
        if (!slot->acting) {
            const bool usable = slot->consistent() && !slot->diverged;
            look({.slot = id,
                  .held = usable ? slot->log.position() : LogPosition{},
                  .synced = slot->synced()});
        }
    }
    reported_ = std::move(reported);
    return copies;
}

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::VerifyRequest& request) {
    msg::VerifyReply reply{.query = request.query, .node = options_.node, .copies = {}};
    const auto wanted = [&](SlotId id) {
        return request.slots.empty() || std::ranges::find(request.slots, id) != request.slots.end();
    };
    const auto count = [](const store::DatumStore& store, msg::VerifyReply::Copy& copy) {
        copy.digest = store.digest();
        copy.publications = static_cast<std::uint32_t>(store.publication_count());
        copy.services = static_cast<std::uint32_t>(std::ranges::count_if(
            store.data(), [](const auto& item) { return !item.second.entries.empty(); }));
    };
    for (const auto& [id, slot] : slots_.led()) {
        if (!wanted(id)) {
            continue;
        }
        auto& copy = reply.copies.emplace_back();
        copy = {.slot = id,
                .slot_epoch = slot->epoch,
                .held = slot->acting ? slot->acts_from : slot->log.position(),
                .leads = !slot->acting,
                .acting = slot->acting,
                .settled = slot->settled};
        count(slot->store, copy);
        if (const auto absent = absent_.find(id); absent != absent_.end()) {
            for (const auto& [owner, reason] : absent->second) {
                (reason == GoneReason::closed ? copy.orphans : copy.held_back) +=
                    slot->store.digest_of_owner(owner).count;
            }
        }
    }
    for (const auto& [id, slot] : slots_.followed()) {
        if (wanted(id) && !slot->acting) {
            auto& copy = reply.copies.emplace_back();
            copy = {.slot = id,
                    .slot_epoch = slot->epoch,
                    .held = slot->log.position(),
                    .settled = slot->settled && slot->synced()};
            count(slot->store, copy);
        }
    }
    std::ranges::sort(reply.copies, {}, [](const auto& copy) { return copy.slot; });
    env_.outbox.send(from, std::move(reply));
}

DataStatus DataServer::Impl::status() const {
    DataStatus status{.table_epoch = slots_.table().epoch,
                      .slots_followed = slots_.followed().size(),
                      .sessions = sessions_.all().size(),
                      .slots_lost = slots_.lost().size(),
                      .latest_version = versions_.latest()};
    for (const auto& [id, slot] : slots_.led()) {
        slot->acting ? ++status.slots_acting : ++status.slots_led;
        status.slots_settled += slot->settled ? 1 : 0;
        status.services += slot->store.data().size();
        status.publications += slot->store.publication_count();
        status.tombstones += slot->store.tombstone_count();
        status.doubts += slot->doubts.size();
    }
    for (const auto& [id, slot] : slots_.followed()) {
        status.slots_synced += slot->synced() ? 1 : 0;
        status.publications_followed += slot->store.publication_count();
    }
    for (const auto& [id, owners] : absent_) {
        const auto slot = slots_.led().find(id);
        for (const auto& [owner, reason] : owners) {
            if (slot != slots_.led().end()) {
                const std::size_t count = slot->second->store.digest_of_owner(owner).count;
                (reason == GoneReason::closed ? status.orphans : status.held) += count;
            }
        }
    }
    return status;
}

void DataServer::Impl::write_metrics(MetricsWriter& writer) const {
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
    gauge("muster_data_doubts", "Data of which some session was not told all yet.", now.doubts);
    gauge("muster_data_orphans",
          "Publications of sessions that ended, kept until their clients had time to come back.",
          now.orphans);
    writer.gauge("muster_data_held", "Publications kept although their session is not there.",
                 static_cast<std::int64_t>(now.held), {{"reason", "silent"}});
    const auto writes = [&](std::string_view outcome, const Counter& counter) {
        writer.counter("muster_data_writes_total", "Writes of sessions by outcome.",
                       counter.value(), {{"outcome", outcome}});
    };
    writes("changed", probe_.writes_changed);
    writes("refreshed", probe_.writes_refreshed);
    writes("ignored", probe_.writes_ignored);
    writer.counter("muster_data_batches_refused_total",
                   "Batches refused for a wrong leader or epoch.", probe_.batches_refused.value());
    writer.counter("muster_data_changes_told_total", "Changes sent to interested sessions.",
                   probe_.changes_told.value());
    writer.counter("muster_data_snapshots_told_total", "Whole data sent to interested sessions.",
                   probe_.snapshots_told.value());
    writer.counter("muster_data_interests_refused_total", "Interests refused over the limit.",
                   probe_.interests_refused.value());
    writer.counter("muster_data_repairs_total", "Digest differences looked into.",
                   probe_.repairs.value());
    writer.counter("muster_data_orphans_removed_total",
                   "Publications removed because their session's clients did not come back.",
                   probe_.orphans_removed.value());
    writer.counter("muster_data_pauses_total", "Own pauses noticed.",
                   probe_.pauses_noticed.value());
    const auto counter = [&](std::string_view name, std::string_view help, const Counter& value) {
        writer.counter(name, help, value.value());
    };
    counter("muster_data_entries_sent_total", "Log entries sent to followers.",
            probe_.entries_sent);
    counter("muster_data_entries_resent_total", "Of them, sent again.", probe_.entries_resent);
    counter("muster_data_entries_taken_total", "Log entries taken from leaders.",
            probe_.entries_taken);
    counter("muster_data_images_sent_total", "Images begun for followers.", probe_.images_sent);
    counter("muster_data_images_taken_total", "Images taken from leaders.", probe_.images_taken);
    counter("muster_data_promotions_total", "Slots begun with a copy.", probe_.promotions);
    counter("muster_data_actings_total", "Slots taken up in their leader's stead.", probe_.actings);
    gauge("muster_data_slots_lost",
          "Slots this node led before its restart without metas, not fetched yet.", now.slots_lost);
    counter("muster_data_slots_regained_total",
            "Slots led again by the kept table, with a copy of others.", probe_.slots_regained);
    counter("muster_data_messages_put_off_total",
            "Messages of sessions that waited for versions to be reserved on disk.",
            probe_.messages_put_off);
    counter("muster_data_messages_dropped_total",
            "Messages of sessions dropped because too many waited.", probe_.messages_dropped);
    counter("muster_data_view_failures_total",
            "Writes of what is known of the cluster that failed.", view_.write_failures());
    writer.histogram("muster_data_follower_lag_seconds",
                     "From an entry sent to a follower to its acknowledgement.",
                     probe_.follower_lag);
}

}  // namespace muster::data
