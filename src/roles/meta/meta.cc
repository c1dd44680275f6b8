#include "roles/meta/meta.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "roles/meta/meta_impl.h"
#include "roles/meta/plan_slots.h"

namespace muster::meta {
MetaServer::MetaServer(MetaOptions options, MetaEnv env, raft::Consensus& consensus)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(env), consensus)) {}

MetaServer::~MetaServer() = default;

Result<raft::RecoveryReport> MetaServer::start() {
    return impl_->start();
}

MetaStatus MetaServer::status() const {
    return impl_->status();
}

bool MetaServer::ready() const {
    return impl_->ready();
}

void MetaServer::write_metrics(MetricsWriter& writer) const {
    impl_->write_metrics(writer);
}

void MetaServer::on_message(const msg::RoleAddress& from, const msg::ClusterMessage& message) {
    if (const auto* heartbeat = std::get_if<msg::NodeHeartbeat>(&message)) {
        impl_->on_heartbeat(from, *heartbeat);
    } else if (const auto* interest = std::get_if<msg::ConfigInterest>(&message)) {
        impl_->on_config_interest(from, *interest);
    } else if (const auto* ask = std::get_if<msg::PutTurnRequest>(&message)) {
        impl_->on_put_turn_request(from, *ask);
    } else if (const auto* put = std::get_if<msg::ConfigPut>(&message)) {
        impl_->on_config_put(from, *put);
    } else {
        impl_->on_unknown();
    }
}

void MetaServer::on_timer(env::TimerKey key) {
    impl_->on_timer(key);
}

MetaServer::Impl::Impl(MetaOptions options, MetaEnv env, raft::Consensus& consensus)
    : options_(std::move(options)),
      env_(std::move(env)),
      consensus_(consensus),
      heard_(options_.member_lease),
      watches_(options_.watch_keys_per_session_max) {
    CHECK(options_.slot_count > 0 && options_.slot_count <= kSlotsMax);
    CHECK(options_.version_window >= std::chrono::milliseconds(2));
}

Result<raft::RecoveryReport> MetaServer::Impl::start() {
    auto report = consensus_.start(state_, *this);
    if (!report) {
        return report;
    }
    last_awake_ = env_.clock.mono();
    env_.timers.arm(kTick, options_.tick_interval);
    env_.log.info("meta.recovered", {{"commands", report->records_kept},
                                     {"last_index", report->last.raw()},
                                     {"members", state_.members().size()},
                                     {"table_epoch", table().epoch.raw()},
                                     {"ceiling", state_.ceiling().raw()}});
    return report;
}

void MetaServer::Impl::on_timer(env::TimerKey key) {
    if (key == kTick) {
        tick();
    } else if (key == kReplies) {
        send_owed_replies();
    }
}

// Nothing ran here for more than a few ticks: this process was stopped, and heard nobody meanwhile.
void MetaServer::Impl::notice_pause() {
    const MonoTime now = env_.clock.mono();
    if (now - last_awake_ > 4 * options_.tick_interval) {
        pauses_.add();
        heard_.grant_all(now);
        leading_since_ = now;
        env_.log.warning("meta.paused", {{"ms", to_ms(now - last_awake_)}});
    }
    last_awake_ = now;
}

void MetaServer::Impl::tick() {
    notice_pause();
    const MonoTime now = env_.clock.mono();
    env_.timers.arm(kTick, options_.tick_interval);
    for (const auto& [who, heard] : heard_.all()) {
        if (now - heard.last > options_.watch_leases * options_.member_lease) {
            watches_.forget(who);
        }
    }
    keep_ceiling();
    keep_slots();
}

// ---- agreement

void MetaServer::Impl::propose(Open open, const Command& command) {
    const raft::Ticket ticket(++last_ticket_);
    open_.emplace(ticket, std::move(open));
    consensus_.propose(ticket, encode_command(command));
}

void MetaServer::Impl::on_applied(raft::Ticket ticket, raft::LogIndex /*index*/,
                                  std::string result) {
    const auto found = open_.find(ticket);
    CHECK_BECAUSE(found != open_.end(), "every ticket is answered once");
    const Open open = std::move(found->second);
    open_.erase(found);
    const Result<Version> outcome = decode_outcome(result);
    if (!outcome) {
        env_.log.warning("meta.command.refused", {{"why", to_string(outcome.error())}});
    }
    if (const auto* join = std::get_if<JoinOpen>(&open)) {
        joining_.erase(join->who);
        joins_.add(outcome ? 1 : 0);
        reply_soon(join->who);
        reply_to_outdated_soon();
        keep_slots();
    } else if (std::holds_alternative<RaiseOpen>(open)) {
        raise_open_ = false;
        ceiling_raised_ = ceiling_raised_ || outcome.has_value();
        raises_.add();
        for (const auto& [who, heard] : heard_.all()) {
            reply_soon(who);
        }
        keep_slots();
    } else if (std::holds_alternative<AssignOpen>(open)) {
        assign_open_ = false;
        reply_to_outdated_soon();
    } else if (std::holds_alternative<EpochsOpen>(open)) {
        epochs_open_ = false;
        reply_to_outdated_soon();
    } else if (const auto* put = std::get_if<PutOpen>(&open)) {
        finish_put(*put, outcome);
    }
}

void MetaServer::Impl::on_readable(raft::Ticket /*ticket*/, raft::LogIndex /*index*/) {
    CHECK_BECAUSE(false, "no barrier is asked for");
}

void MetaServer::Impl::on_refused(raft::Ticket ticket, const Error& why) {
    const auto found = open_.find(ticket);
    CHECK_BECAUSE(found != open_.end(), "every ticket is answered once");
    const Open open = std::move(found->second);
    open_.erase(found);
    refused_proposals_.add();
    env_.log.warning("meta.proposal.refused", {{"why", to_string(why)}});
    // Heartbeats and ticks try again; a put is answered, its sender decides.
    if (const auto* join = std::get_if<JoinOpen>(&open)) {
        joining_.erase(join->who);
    } else if (std::holds_alternative<RaiseOpen>(open)) {
        raise_open_ = false;
    } else if (std::holds_alternative<AssignOpen>(open)) {
        assign_open_ = false;
    } else if (std::holds_alternative<EpochsOpen>(open)) {
        epochs_open_ = false;
    } else if (const auto* put = std::get_if<PutOpen>(&open)) {
        finish_put(*put, std::unexpected(why));
    }
}

void MetaServer::Impl::on_leadership(bool leads, raft::Term term) {
    env_.log.info("meta.leadership", {{"leads", leads}, {"term", term.raw()}});
    leading_ = leads;
    put_order_.begin_term(term.raw());
    ceiling_raised_ = false;
    leading_since_ = env_.clock.mono();
    heard_.grant_all(leading_since_);
    keep_ceiling();
}

// ---- versions and slots

Fence MetaServer::Impl::fence() const {
    return {.physical = version_at(env_.clock.wall()),
            .headroom = version_span(options_.version_window)};
}

void MetaServer::Impl::keep_ceiling() {
    if (!leading_ || raise_open_) {
        return;
    }
    const Fence now = fence();
    const Version held = state_.ceiling();
    const Version base = ceiling_raised_ ? now.physical : std::max(now.physical, held);
    if (ceiling_raised_ && held.raw() >= base.raw() + now.headroom / 2) {
        return;
    }
    const std::uint64_t room = kVersionMax.raw() - base.raw();
    raise_open_ = true;
    propose(RaiseOpen{}, RaiseCeiling{.to = Version(base.raw() + std::min(now.headroom, room))});
}

void MetaServer::Impl::keep_slots() {
    if (!ready() || assign_open_) {
        return;
    }
    const MonoTime now = env_.clock.mono();
    const bool all_heard = now - leading_since_ >= options_.member_lease;
    SlotsView view{.table = table(), .slot_count = options_.slot_count, .live = {}, .unheard = {}};
    for (const auto& [who, entry] : state_.members()) {
        if (who.role != Role::data) {
            continue;
        }
        const HeardTable::Heard* heard = heard_.find(who);
        if (heard == nullptr && !all_heard) {
            view.unheard.push_back(who.node);
        } else if (heard_.live(who, now) && heard->incarnation == entry.member.incarnation) {
            view.live.push_back(who.node);
        } else if (joining_.contains(who)) {
            view.unheard.push_back(who.node);  // a new life of it, being agreed on
        }
    }
    auto plan = plan_slots(view, {});
    if (plan.empty()) {
        return;
    }
    plans_.add();
    assign_open_ = true;
    env_.log.info("meta.slots.assign", {{"slots", plan.size()}, {"live_data", view.live.size()}});
    propose(AssignOpen{}, AssignSlots{.base = table().epoch,
                                      .slot_count = options_.slot_count,
                                      .slots = std::move(plan),
                                      .fence = fence()});
}

// ---- for operators

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
    std::map<NodeId, std::size_t> led;
    for (const Slot& slot : table().slots) {
        ++led[slot.leader];
    }
    status.slots_without_leader = led[NodeId()];
    for (const auto& [key, entry] : state_.config()) {
        status.config_keys += entry.value ? 1 : 0;
    }
    for (const auto& [who, entry] : state_.members()) {
        MemberStatus member{.member = entry.member,
                            .known_before = entry.known_before,
                            .live = heard_.live(who, now)};
        if (const HeardTable::Heard* heard = heard_.find(who)) {
            member.silent_for = now - heard->last;
        }
        member.slots_led = who.role == Role::data ? led[who.node] : 0;
        status.members.push_back(std::move(member));
    }
    return status;
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
    const MetaStatus now = status();
    std::int64_t live = 0;
    for (const MemberStatus& member : now.members) {
        live += member.live ? 1 : 0;
    }
    const auto gauge = [&writer](std::string_view name, std::string_view help, auto value) {
        writer.gauge(name, help, static_cast<std::int64_t>(value));
    };
    gauge("muster_meta_ready", "1 when data nodes are answered", now.ready ? 1 : 0);
    gauge("muster_meta_members", "Members ever seen", now.members.size());
    gauge("muster_meta_members_live", "Members heard within their lease", live);
    gauge("muster_meta_table_epoch", "Epoch of the slot table", now.table_epoch.raw());
    gauge("muster_meta_slots_without_leader", "Slots nobody leads", now.slots_without_leader);
    gauge("muster_meta_version_ceiling", "Versions given stay below", now.ceiling.raw());
    gauge("muster_meta_config_keys", "Configuration values set", now.config_keys);
    gauge("muster_meta_config_watches", "Configuration keys watched by sessions", now.watches);
}

}  // namespace muster::meta
