#include "roles/data/data.h"

#include "roles/data/data_impl.h"

namespace muster::data {
namespace {

constexpr env::TimerKey kHeartbeatTimer(1);
constexpr int kEagerness = 25;
constexpr Duration kSweepInterval = std::chrono::seconds(5);

}  // namespace

DataServer::DataServer(DataOptions options, DataEnv env)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(env))) {}
DataServer::~DataServer() = default;
void DataServer::start() {
    impl_->start();
}
DataStatus DataServer::status() const {
    return impl_->status();
}
void DataServer::write_metrics(MetricsWriter& writer) const {
    impl_->write_metrics(writer);
}
void DataServer::on_message(const msg::RoleAddress& from, const msg::ClusterMessage& message) {
    impl_->on_message(from, message);
}
void DataServer::on_timer(env::TimerKey key) {
    impl_->on_timer(key);
}

DataServer::Impl::Impl(DataOptions options, DataEnv env)
    : options_(std::move(options)),
      env_(std::move(env)),
      slots_(options_.node, options_.changes_kept_per_slot) {}

void DataServer::Impl::start() {
    last_tick_ = env_.clock.mono();
    last_sweep_ = last_tick_;
    heartbeat();
    arm_heartbeat();
}

// Until a meta has answered, often: it may be starting too.
void DataServer::Impl::arm_heartbeat() {
    const Duration pace = options_.heartbeat_interval;
    env_.timers.arm(kHeartbeatTimer, slots_.table().slots.empty() ? pace / kEagerness : pace);
}

void DataServer::Impl::on_message(const msg::RoleAddress& from,
                                  const msg::ClusterMessage& message) {
    notice_pause(env_.clock.mono());
    std::visit([&](const auto& known) { on(from, known); }, message);
    flush();
}

void DataServer::Impl::on_timer(env::TimerKey) {
    const MonoTime now = env_.clock.mono();
    notice_pause(now);
    last_tick_ = now;
    heartbeat();
    remove_orphans(now);
    if (now - last_sweep_ >= kSweepInterval) {
        last_sweep_ = now;
        for (auto& [id, slot] : slots_.led()) {
            slot->store.sweep(now);
        }
    }
    flush();
    arm_heartbeat();
}

void DataServer::Impl::notice_pause(MonoTime now) {
    const Duration gap = now - last_tick_;
    if (gap < options_.pause_limit) {
        return;
    }
    // We stood still (SIGSTOP, a frozen machine): what was not heard meanwhile is no sign.
    probe_.pauses_noticed.add();
    env_.log.warning("data.paused", {{"gap_ms", to_ms(gap)}});
    sessions_.extend(gap);
    last_tick_ = now;
}

void DataServer::Impl::heartbeat() {
    for (const NodeId& meta : options_.metas) {
        env_.outbox.send({meta, Role::meta},
                         msg::NodeHeartbeat{.member = {.node = options_.node,
                                                       .role = Role::data,
                                                       .address = options_.address,
                                                       .incarnation = options_.incarnation},
                                            .table_epoch = slots_.table().epoch,
                                            .members_epoch = members_epoch_});
    }
}

// What a life of a session left behind goes slot by slot, once the life after it has supplied the
// slot: it knows best whether its clients had time to come back (it may have stood still itself, or
// be the third life in a row).
void DataServer::Impl::remove_orphans(MonoTime now) {
    if (versions_.exhausted()) {
        return;
    }
    for (const auto& orphan : sessions_.expired(now, options_.orphan_grace)) {
        const SessionLink* heir = sessions_.find(orphan.node);
        bool all = true;
        for (auto& [id, slot] : slots_.led()) {
            if (heir == nullptr || !heir->has_supplied(id, slot->epoch)) {
                all = false;
                continue;
            }
            Turn turn;
            slot->store.remove_owner(
                orphan.owner, RemovalCause::silent, now,
                [&](store::DatumStore::Datum& datum, const PublicationPtr& publication) {
                    probe_.orphans_removed.add();
                    note_removal(turn, datum, publication->id, RemovalCause::silent);
                });
            commit(*slot, turn);
        }
        if (all) {
            sessions_.forget(orphan);
            env_.log.info("data.orphans.removed", {{"session", orphan.node.raw()}});
        }
    }
}

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::ListServices& query) {
    msg::ListServicesReply reply{.query = query.query, .settled = true};
    std::map<std::string, const store::DatumStore::Datum*> found;
    const std::size_t limit =
        std::min<std::size_t>(std::max<std::uint32_t>(query.limit, 1), 10'000);
    for (const auto& [id, slot] : slots_.led()) {
        reply.settled = reply.settled && slot->settled;
        const auto& data = slot->store.data();
        for (auto item = data.upper_bound(query.after); item != data.end(); ++item) {
            const auto& [name, datum] = *item;
            if (datum.entries.empty() || name.find(query.contains) == std::string::npos) {
                continue;
            }
            found.emplace(name, &datum);
            if (found.size() > limit + 1) {
                found.erase(std::prev(found.end()));
            }
        }
    }
    for (const auto& [name, datum] : found) {
        if (reply.services.size() == limit) {
            reply.more = true;
            break;
        }
        reply.services.push_back({.data_info_id = name,
                                  .publications = static_cast<std::uint32_t>(datum->entries.size()),
                                  .version = datum->version});
    }
    env_.outbox.send(from, std::move(reply));
}

DataStatus DataServer::Impl::status() const {
    DataStatus status{.table_epoch = slots_.table().epoch,
                      .slots_led = slots_.led().size(),
                      .sessions = sessions_.all().size(),
                      .latest_version = versions_.latest()};
    for (const auto& [id, slot] : slots_.led()) {
        status.slots_settled += slot->settled ? 1 : 0;
        status.services += slot->store.data().size();
        status.publications += slot->store.publication_count();
        status.tombstones += slot->store.tombstone_count();
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
}

}  // namespace muster::data
