#include "raft/raft_node.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "raft/membership.h"
#include "raft/message_codec.h"

namespace muster::raft {
namespace {

constexpr env::TimerKey kAnswers{1};
constexpr env::TimerKey kFlush{2};
constexpr env::TimerKey kSeal{3};
constexpr env::TimerKey kRetry{4};
constexpr env::TimerKey kReserve{6};
constexpr env::TimerKey kScrub{7};
constexpr std::uint64_t kCoreTimers = 10;

env::TimerKey key_of(CoreTimer timer) {
    return env::TimerKey(kCoreTimers + static_cast<std::uint64_t>(timer));
}

LogStoreOptions store_options(const RaftNodeOptions& options) {
    return {.node = options.core.node,
            .cluster = options.cluster,
            .folder = options.folder,
            .reserve = options.reserve,
            .scrub = options.scrub,
            .seal_timer = kSeal,
            .retry_timer = kRetry,
            .reserve_timer = kReserve,
            .scrub_timer = kScrub};
}

}  // namespace

RaftNode::RaftNode(RaftNodeOptions options, RaftNodeEnv env)
    : options_(std::move(options)),
      env_(std::move(env)),
      store_(store_options(options_), env_.disk, env_.timers, env_.log, *this) {}

Result<RecoveryReport> RaftNode::start(StateMachine& machine, ConsensusListener& listener) {
    CHECK_BECAUSE(!core_, "a node starts once");
    auto found = store_.open();
    if (!found) {
        return std::unexpected(std::move(found).error());
    }
    RaftCore::Start& start = found->start;
    if (found->fresh) {
        start.membership = normalised(options_.bootstrap.value_or(Membership{}));
        start.snapshot = {.index = LogIndex(),
                          .term = Term(),
                          .payload = std::make_shared<const std::string>(
                              encode_membership(start.membership) + machine.snapshot())};
        start.hard.life = options_.first_life;
        start.hard.doubt = true;
    } else if (start.snapshot.payload && !start.snapshot.payload->empty()) {
        if (auto restored = machine.restore(found->state); !restored) {
            return wrap(
                fmt::format("snapshot {} in {}", start.snapshot.index.raw(), options_.folder),
                std::move(restored).error());
        }
    } else {
        // Not even the first snapshot can be read: back to how the group began.
        start.membership = normalised(options_.bootstrap.value_or(Membership{}));
        start.snapshot.payload = std::make_shared<const std::string>(
            encode_membership(start.membership) + machine.snapshot());
    }
    for (const Entry& entry : start.entries) {
        if (entry.kind != EntryKind::command) {
            continue;
        }
        if (auto known = machine.readable(*entry.data); !known) {
            return wrap(fmt::format("command {} in {}", entry.index.raw(), options_.folder),
                        std::move(known).error());
        }
    }
    if (found->report.truncated) {
        env_.log.error("raft.recovery.damaged",
                       {{"file", found->report.dropped_from}, {"reason", found->report.reason}});
    }
    machine_ = &machine;
    listener_ = &listener;
    snapshot_bytes_ = start.snapshot.payload->size();
    store_.begin(start, found->fresh);
    core_.emplace(options_.core, env_.prng, std::move(start));
    core_->begin();
    run();
    return std::move(found->report);
}

const RaftCore& RaftNode::core() const {
    CHECK(core_.has_value());
    return *core_;
}

Membership RaftNode::members() const {
    return core_ ? core_->log().membership() : Membership{};
}

// ---- requests

void RaftNode::refuse_later(Ticket ticket, Error why) {
    refusals_.add();
    answers_.push_back({ticket, std::move(why)});
    env_.timers.arm(kAnswers, Duration::zero());
}

void RaftNode::flush_later() {
    env_.timers.arm(kFlush, Duration::zero());
}

void RaftNode::send_answers() {
    // Only those known now: a listener that asks again is answered at the next turn.
    for (const Answer& answer : std::exchange(answers_, {})) {
        if (answer.why) {
            listener_->on_refused(answer.ticket, *answer.why);
        } else {
            listener_->on_applied(answer.ticket, status().applied, {});
        }
    }
}

void RaftNode::propose(Ticket ticket, std::string command) {
    if (!core_) {
        refuse_later(ticket, {Errc::not_ready, "not started"});
        return;
    }
    if (command.size() > options_.command_bytes_max) {
        refuse_later(ticket,
                     {Errc::too_large, fmt::format("a command of {} bytes; at most {}",
                                                   command.size(), options_.command_bytes_max)});
        return;
    }
    auto index = core_->propose(std::make_shared<const std::string>(std::move(command)));
    if (!index) {
        refuse_later(ticket, std::move(index).error());
        return;
    }
    proposals_.add();
    waiting_[*index] = {.ticket = ticket, .term = core_->term()};
    flush_later();
}

void RaftNode::read_barrier(Ticket ticket) {
    if (!core_) {
        refuse_later(ticket, {Errc::not_ready, "not started"});
    } else if (auto taken = core_->read_barrier(ticket); !taken) {
        refuse_later(ticket, std::move(taken).error());
    } else {
        flush_later();
    }
}

void RaftNode::change(Ticket ticket, const Membership& membership) {
    if (!core_) {
        refuse_later(ticket, {Errc::not_ready, "not started"});
        return;
    }
    auto index = core_->change(membership);
    if (!index) {
        refuse_later(ticket, std::move(index).error());
        return;
    }
    waiting_[*index] = {.ticket = ticket, .term = core_->term(), .change = true};
    flush_later();
}

void RaftNode::transfer(Ticket ticket, const NodeId& to) {
    if (!core_) {
        refuse_later(ticket, {Errc::not_ready, "not started"});
    } else if (auto begun = core_->transfer(to); !begun) {
        refuse_later(ticket, std::move(begun).error());
    } else {
        transfers_ = {ticket};
        flush_later();
    }
}

void RaftNode::stop(Ticket ticket) {
    if (core_) {
        core_->retire();
    }
    if (!core_ || core_->role() != ConsensusRole::leader) {
        answers_.push_back({ticket, std::nullopt});
        env_.timers.arm(kAnswers, Duration::zero());
        return;
    }
    const auto to = core_->successor(members());
    auto begun = to ? core_->transfer(*to)
                    : Result<void>(fail(Errc::unavailable, "no other voter was heard of lately"));
    if (begun || begun.error().code == Errc::busy) {
        transfers_.push_back(ticket);
        flush_later();
    } else {
        refuse_later(ticket, std::move(begun).error());
    }
}

ConsensusStatus RaftNode::status() const {
    if (!core_) {
        return {};
    }
    return {.role = core_->role(),
            .term = core_->term(),
            .leader = core_->leader(),
            .doubtful = core_->standing() != Standing::whole,
            .unheard = core_->unheard(),
            .commit = core_->commit(),
            .applied = core_->applied(),
            .snapshot = store_.newest_snapshot(),
            .log_bytes = store_.log_bytes(),
            .waiting = waiting_.size()};
}

// ---- events

Result<void> RaftNode::on_message(std::string_view bytes) {
    if (!core_) {
        return {};
    }
    auto envelope = decode_message(bytes);
    if (!envelope) {
        bad_messages_.add();
        return std::unexpected(std::move(envelope).error());
    }
    if (envelope->cluster != options_.cluster) {
        bad_messages_.add();
        return fail(Errc::refused, "a message to another cluster");
    }
    core_->receive(envelope->message);
    run();
    return {};
}

void RaftNode::on_peer_gone(const NodeId& node) {
    if (core_) {
        core_->on_peer_gone(node);
        run();
    }
}

void RaftNode::on_disk(env::DiskOpId op, const Result<void>& outcome) {
    store_.on_disk(op, outcome);
    run();
}

void RaftNode::on_read(env::DiskOpId op, const Result<std::string>& bytes) {
    store_.on_read(op, bytes);
    run();
}

void RaftNode::on_timer(env::TimerKey key) {
    if (key == kAnswers) {
        CHECK_BECAUSE(listener_ != nullptr || answers_.empty(), "asked before start()");
        send_answers();
        return;
    }
    if (!core_) {
        return;
    }
    if (key == kSeal || key == kRetry || key == kReserve || key == kScrub) {
        store_.on_timer(key);
    } else if (key == kPart) {
        build_snapshot();
    } else if (key.raw() > kCoreTimers) {
        core_->on_timer(static_cast<CoreTimer>(key.raw() - kCoreTimers));
    }
    run();
}

void RaftNode::on_stored(std::uint64_t number) {
    core_->on_written(number);
    if (snapshot_pending_ && core_->snapshot().index >= *snapshot_pending_) {
        snapshot_pending_.reset();
    }
}

void RaftNode::on_snapshot_given_up(std::uint64_t number) {
    snapshot_pending_.reset();
    core_->on_snapshot_failed(number);
}

void RaftNode::on_store_broken(const Error& why) {
    broken_why_ = why.detail;
    core_->on_disk_broken();
}

void RaftNode::on_store_healed() {
    broken_why_.clear();
    core_->on_disk_healed();
}

void RaftNode::on_damage_found() {
    begin_anew_ = true;
    core_->on_damage();
}

// ---- what the core wants done

void RaftNode::run() {
    if (!core_ || running_) {
        return;
    }
    running_ = true;
    carry_out(core_->take_effects());
    maybe_take_snapshot();
    carry_out(core_->take_effects());
    say_standing();
    running_ = false;
}

void RaftNode::carry_out(Effects effects) {
    for (const Effects::Timer& timer : effects.timers) {
        if (timer.delay) {
            env_.timers.arm(key_of(timer.timer), *timer.delay);
        } else {
            env_.timers.cancel(key_of(timer.timer));
        }
    }
    for (Write& write : effects.writes) {
        store_.submit(std::move(write));
    }
    for (const Message& message : effects.messages) {
        env_.transport.send(message.to, encode_message(options_.cluster, message));
    }
    for (const Entry& entry : effects.committed) {
        apply(entry);
    }
    for (const Effects::Readable& read : effects.readable) {
        listener_->on_readable(read.ticket, read.index);
    }
    for (const Ticket ticket : effects.unreadable) {
        listener_->on_refused(ticket, {Errc::not_leader, "the leadership was lost meanwhile"});
    }
    if (effects.transferred) {
        for (const Ticket ticket : std::exchange(transfers_, {})) {
            if (*effects.transferred) {
                listener_->on_applied(ticket, core_->commit(), {});
            } else {
                listener_->on_refused(ticket, {Errc::timeout, "the other node did not take over"});
            }
        }
    }
    for (const Effects::Reign& reign : effects.reigns) {
        on_reign(reign);
    }
    if (effects.offer) {
        try_snapshot(*effects.offer);
    }
}

void RaftNode::apply(const Entry& entry) {
    std::string result;
    if (entry.kind == EntryKind::command) {
        result = machine_->apply(entry.index, *entry.data);
    }
    bytes_since_snapshot_ += cost_of(entry);
    ++records_since_snapshot_;
    const auto waiting = waiting_.find(entry.index);
    if (waiting == waiting_.end()) {
        return;
    }
    const Waiting proposal = waiting->second;
    waiting_.erase(waiting);
    CHECK_BECAUSE(proposal.term == entry.term, "refused when the leadership was lost");
    listener_->on_applied(proposal.ticket, entry.index, std::move(result));
}

void RaftNode::on_reign(const Effects::Reign& reign) {
    if (!reign.leads) {
        const Error why = broken_why_.empty()
                              ? Error{Errc::timeout, "the leadership was lost meanwhile"}
                              : Error{Errc::io_error, broken_why_};
        for (const auto& [index, proposal] : std::exchange(waiting_, {})) {
            refusals_.add();
            listener_->on_refused(proposal.ticket, why);
        }
    }
    env_.log.info("raft.leadership", {{"leads", reign.leads}, {"term", reign.term.raw()}});
    listener_->on_leadership(reign.leads, reign.term);
}

void RaftNode::write_metrics(MetricsWriter& writer) const {
    writer.counter("muster_raft_proposals_total", "Commands taken", proposals_.value());
    writer.counter("muster_raft_refusals_total", "Requests refused", refusals_.value());
    writer.counter("muster_raft_bad_messages_total",
                   "Messages that cannot be read or are of "
                   "another cluster",
                   bad_messages_.value());
    writer.counter("muster_raft_snapshots_total", "Snapshots taken", snapshots_taken_.value());
    store_.write_metrics(writer);
    if (core_) {
        core_->write_metrics(writer);
    }
    const ConsensusStatus now = status();
    writer.gauge("muster_raft_leader", "1 when this node leads",
                 now.role == ConsensusRole::leader ? 1 : 0);
    writer.gauge("muster_raft_doubt", "1 while this node does not vote: it lost what it held",
                 now.doubtful ? 1 : 0);
    writer.gauge("muster_raft_term", "Current term", static_cast<std::int64_t>(now.term.raw()));
    writer.gauge("muster_raft_applied_index", "Last command applied",
                 static_cast<std::int64_t>(now.applied.raw()));
    writer.gauge("muster_raft_waiting", "Commands that wait to be agreed",
                 static_cast<std::int64_t>(now.waiting));
}

}  // namespace muster::raft
