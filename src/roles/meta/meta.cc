#include "roles/meta/meta.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "roles/meta/meta_impl.h"

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

msg::ClusterReport MetaServer::report() const {
    return impl_->report();
}

bool MetaServer::ready() const {
    return impl_->ready();
}

void MetaServer::write_metrics(MetricsWriter& writer) const {
    impl_->write_metrics(writer);
}

void MetaServer::leave(std::function<void()> gone) {
    impl_->leave(std::move(gone));
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
    } else if (const auto* request = std::get_if<msg::OperatorRequest>(&message)) {
        impl_->on_operator(from, *request);
    } else if (const auto* brake = std::get_if<msg::BrakeRequest>(&message)) {
        impl_->on_brake(from, *brake);
    } else if (!std::holds_alternative<msg::BrakeReply>(message)) {  // of what was passed on

        impl_->on_unknown();
    }
}

void MetaServer::on_link(const NodeId& node, msg::LinkEvent event) {
    impl_->on_link(node, event);
}

void MetaServer::on_timer(env::TimerKey key) {
    impl_->on_timer(key);
}

MetaServer::Impl::Impl(MetaOptions options, MetaEnv env, raft::Consensus& consensus)
    : options_(std::move(options)),
      env_(std::move(env)),
      consensus_(consensus),
      liveness_({.lease = options_.member_lease,
                 .sign_wait = options_.sign_wait,
                 .doubt = options_.sign_doubt}),
      copies_(options_.copies_refresh),
      loads_(options_.loads),
      watches_(options_.watch_keys_per_session_max),
      brake_(options_.brake) {
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
    } else if (key == kJudge) {
        notice_pause();
        judge();
    } else if (key == kPlan) {
        plan_at_.reset();
        keep_slots();
    }
}

// Nothing ran here for more than a few ticks: this process was stopped, and heard nobody meanwhile.
void MetaServer::Impl::notice_pause() {
    const MonoTime now = env_.clock.mono();
    if (now - last_awake_ > 4 * options_.tick_interval) {
        pauses_.add();
        liveness_.grant_all(now);
        leading_since_ = now;
        brake_.extend(now - last_awake_);
        env_.log.warning("meta.paused", {{"ms", to_ms(now - last_awake_)}});
    }
    last_awake_ = now;
}

void MetaServer::Impl::tick() {
    notice_pause();
    const MonoTime now = env_.clock.mono();
    env_.timers.arm(kTick, options_.tick_interval);
    for (const auto& [who, heard] : liveness_.all()) {
        if (now - heard.last > options_.watch_leases * options_.member_lease) {
            watches_.forget(who);
        }
    }
    prune_heard();
    note_phases();
    keep_ceiling();
    judge();
    forget_the_dead();
    look_after_brake();
    tell_loads();
    keep_slots(true);
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
    if (std::holds_alternative<LeaveOpen>(open)) {
        left(true);
        return;
    }
    const Result<Version> outcome = decode_outcome(result);
    if (!outcome) {
        env_.log.warning("meta.command.refused", {{"why", to_string(outcome.error())}});
    }
    note_table();
    close(open, outcome);
    if (const auto* join = std::get_if<JoinOpen>(&open)) {
        joins_.add(outcome ? 1 : 0);
        reply_soon(join->who);
    } else if (std::holds_alternative<RaiseOpen>(open)) {
        ceiling_raised_ = ceiling_raised_ || outcome.has_value();
        raises_.add();
        for (const auto& [who, heard] : liveness_.all()) {
            reply_soon(who);
        }
    } else if (const auto* request = std::get_if<OperatorOpen>(&open)) {
        answer_operator(request->sender,
                        outcome ? Result<void>() : Result<void>(std::unexpected(outcome.error())));
    } else if (std::holds_alternative<PutOpen>(open)) {
        return;  // changes neither members nor slots
    }
    // Once for all that is agreed in this turn: when a cluster starts, everybody joins.
    tell_outdated_ = true;
    env_.timers.arm(kReplies, Duration::zero());
    plan_soon();
}

void MetaServer::Impl::on_readable(raft::Ticket ticket, raft::LogIndex /*index*/) {
    const auto found = open_.find(ticket);
    CHECK_BECAUSE(found != open_.end(), "every ticket is answered once");
    const Open open = std::move(found->second);
    open_.erase(found);
    close(open, Version());
    const auto* request = std::get_if<OperatorOpen>(&open);
    CHECK_BECAUSE(request != nullptr && request->report, "only reports ask for a barrier");
    answer_operator(request->sender, {}, std::make_shared<const msg::ClusterReport>(report()));
}

void MetaServer::Impl::on_refused(raft::Ticket ticket, const Error& why) {
    const auto found = open_.find(ticket);
    CHECK_BECAUSE(found != open_.end(), "every ticket is answered once");
    const Open open = std::move(found->second);
    open_.erase(found);
    if (std::holds_alternative<LeaveOpen>(open)) {
        env_.log.warning("meta.handover.failed", {{"why", to_string(why)}});
        left(false);
        return;
    }
    refused_proposals_.add();
    env_.log.warning("meta.proposal.refused", {{"why", to_string(why)}});
    // Heartbeats and ticks try again; a put is answered, its sender decides.
    close(open, std::unexpected(why));
    const auto* request = std::get_if<OperatorOpen>(&open);
    const bool next_leader_answers =
        why.code == Errc::not_leader || why.code == Errc::not_ready || why.code == Errc::timeout;
    if (request != nullptr && !next_leader_answers) {
        answer_operator(request->sender, std::unexpected(why));
    }
}

// What was open is so no longer, whatever became of it.
void MetaServer::Impl::close(const Open& open, const Result<Version>& outcome) {
    if (const auto* join = std::get_if<JoinOpen>(&open)) {
        joining_.erase(join->who);
    } else if (std::holds_alternative<RaiseOpen>(open)) {
        raise_open_ = false;
    } else if (std::holds_alternative<AssignOpen>(open)) {
        assign_open_ = false;
    } else if (std::holds_alternative<EpochsOpen>(open)) {
        epochs_open_ = false;
    } else if (const auto* phases = std::get_if<PhasesOpen>(&open)) {
        for (const SetPhases::Item& item : phases->items) {
            const auto one = phasing_.find({.node = item.node, .role = item.role});
            if (one != phasing_.end() && one->second == item.phase) {
                phasing_.erase(one);
            }
        }
    } else if (std::holds_alternative<ForgetOpen>(open)) {
        forget_open_ = false;
    } else if (std::holds_alternative<ModeOpen>(open)) {
        mode_open_ = false;
    } else if (const auto* put = std::get_if<PutOpen>(&open)) {
        finish_put(*put, outcome);
    } else if (std::holds_alternative<OperatorOpen>(open)) {
        --operators_open_;
    }
}

void MetaServer::Impl::leave(std::function<void()> gone) {
    if (std::exchange(leaving_, true)) {
        return;
    }
    env_.log.info("meta.leaving", {{"leads", leading_}});
    gone_ = std::move(gone);
    const raft::Ticket ticket(++last_ticket_);
    open_.emplace(ticket, LeaveOpen{});
    consensus_.stop(ticket);
}

void MetaServer::Impl::left(bool another_leads) {
    env_.log.info("meta.left", {{"another_leads", another_leads}});
    if (gone_) {
        std::exchange(gone_, {})();
    }
}

void MetaServer::Impl::on_leadership(bool leads, raft::Term term) {
    env_.log.info("meta.leadership", {{"leads", leads}, {"term", term.raw()}});
    leading_ = leads;
    put_order_.begin_term(term.raw());
    ceiling_raised_ = false;
    highest_ = Version();
    owed_.clear();
    told_.clear();
    how_far_.clear();
    protected_why_.clear();
    moving_ = 0;
    in_phase_.clear();
    noted_members_ = 0;
    // Everybody gets a lease from now on: what this node heard as a follower says nothing of what
    // it did not hear.
    leading_since_ = env_.clock.mono();
    liveness_.grant_all(leading_since_);
    if (leads) {
        copies_.begin_reign(table());
        noted_table_ = table();
    }
    tell_loads();  // not those of an earlier reign
    keep_ceiling();
    judge_soon();
}

// What the copies of slots that changed hands were said to be is over.
void MetaServer::Impl::note_table() {
    if (noted_table_.epoch != table().epoch) {
        copies_.change_table(noted_table_, table());
        noted_table_ = table();
    }
}

// ---- versions

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
    const Version used = std::max(now.physical, highest_);
    const Version base = ceiling_raised_ ? used : std::max(used, held);
    if (ceiling_raised_ && held.raw() >= base.raw() + now.headroom / 2) {
        return;
    }
    const std::uint64_t room = kVersionMax.raw() - base.raw();
    raise_open_ = true;
    propose(RaiseOpen{}, RaiseCeiling{.to = Version(base.raw() + std::min(now.headroom, room))});
}

}  // namespace muster::meta
