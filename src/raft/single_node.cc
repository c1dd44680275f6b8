#include "raft/single_node.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "raft/record_log.h"

namespace muster::raft {
namespace {

constexpr env::TimerKey kAnswers{1};
constexpr env::TimerKey kSeal{2};
constexpr env::TimerKey kRetry{3};

}  // namespace

SingleNode::SingleNode(SingleNodeOptions options, SingleNodeEnv env)
    : options_(std::move(options)), env_(std::move(env)) {}

Result<RecoveryReport> SingleNode::start(StateMachine& machine, ConsensusListener& listener) {
    CHECK_BECAUSE(phase_ == Phase::stopped, "a node starts once");
    auto log = recover(env_.disk, {.folder = options_.folder,
                                   .allow_truncated_log = options_.allow_truncated_log});
    if (!log) {
        return wrap("recover the log", std::move(log).error());
    }
    if (!log->snapshots_on_disk.empty()) {
        if (auto restored = machine.restore(log->snapshot); !restored) {
            return wrap(path_of(snapshot_name(log->report.snapshot)), std::move(restored).error());
        }
    }
    for (const RecoveredCommand& command : log->commands) {
        if (auto known = machine.readable(command.bytes); !known) {
            return wrap(fmt::format("command {} in {}", command.index.raw(), options_.folder),
                        std::move(known).error());
        }
    }
    machine_ = &machine;
    listener_ = &listener;
    RecoveryReport report = log->report;
    restore(std::move(*log), machine);
    for (const std::string& file : report.damaged_files) {
        env_.log.warning("raft.recovery.damaged_file", {{"file", file}});
    }
    if (!report.dropped_from.empty()) {
        env_.log.warning("raft.recovery.dropped", {{"file", report.dropped_from},
                                                   {"bytes", report.bytes_dropped},
                                                   {"reason", report.reason},
                                                   {"acknowledged", report.truncated}});
    }
    if (report.truncated || segments_.size() > options_.segments_max) {
        write_snapshot(Phase::opening_snapshot);
    } else {
        open_segment();
    }
    return report;
}

void SingleNode::restore(RecoveredLog log, StateMachine& machine) {
    applied_ = log.report.snapshot.raw();
    snapshot_bytes_ = log.snapshot.size();
    for (const RecoveredCommand& command : log.commands) {
        CHECK(command.index.raw() == applied_ + 1);
        (void)machine.apply(command.index, command.bytes);
        applied_ = command.index.raw();
        bytes_since_snapshot_ += command.bytes.size() + kRecordHeaderBytes;
        ++records_since_snapshot_;
    }
    term_ = Term(log.term.raw() + 1);
    snapshots_ = std::move(log.snapshots_on_disk);
    segments_ = std::move(log.segments);
    if (!segments_.empty()) {
        next_sequence_ = segments_.back().sequence + 1;
    }
    for (const LogIndex damaged : log.snapshots_damaged) {
        remove_file(snapshot_name(damaged));
    }
}

// ---- requests

void SingleNode::propose(Ticket ticket, std::string command) {
    if (!leading_) {
        answer_later(ticket, Error{Errc::not_ready, "the log is not open"});
    } else if (command.size() > options_.command_bytes_max) {
        answer_later(ticket, Error{Errc::too_large,
                                   fmt::format("a command of {} bytes; at most {}", command.size(),
                                               options_.command_bytes_max)});
    } else if (waiting_.size() + in_flight_.size() >= options_.waiting_max ||
               waiting_bytes_ + command.size() > options_.waiting_bytes_max) {
        answer_later(ticket, Error{Errc::over_limit, "too many commands wait for the disk"});
    } else {
        proposals_.add();
        waiting_bytes_ += command.size();
        waiting_.push_back({ticket, std::move(command)});
        pump();
    }
}

void SingleNode::read_barrier(Ticket ticket) {
    if (!leading_) {
        answer_later(ticket, Error{Errc::not_ready, "the log is not open"});
    } else {
        answer_later(ticket, std::nullopt);  // what anybody was told of is applied
    }
}

void SingleNode::change(Ticket ticket, const Membership& /*membership*/) {
    answer_later(ticket, Error{Errc::refused, "a single meta has no other voters to change"});
}

void SingleNode::transfer(Ticket ticket, const NodeId& to) {
    answer_later(ticket, Error{Errc::refused,
                               "a single meta cannot hand its leadership to '" + to.raw() + "'"});
}

void SingleNode::stop(Ticket ticket) {
    answers_.push_back({.ticket = ticket, .refused = std::nullopt, .read = false});
    env_.timers.arm(kAnswers, Duration::zero());
}

ConsensusStatus SingleNode::status() const {
    ConsensusStatus status{.term = term_,
                           .commit = LogIndex(applied_),
                           .applied = LogIndex(applied_),
                           .snapshot = snapshots_.empty() ? LogIndex() : snapshots_.back(),
                           .waiting = waiting_.size() + in_flight_.size()};
    if (leading_) {
        status.role = ConsensusRole::leader;
        status.leader = options_.node;
    } else if (phase_ != Phase::stopped) {
        status.role = ConsensusRole::recovering;
    }
    for (const SegmentOnDisk& segment : segments_) {
        status.log_bytes += segment.bytes;
    }
    return status;
}

void SingleNode::write_metrics(MetricsWriter& writer) const {
    writer.counter("muster_raft_proposals_total", "Commands taken", proposals_.value());
    writer.counter("muster_raft_refusals_total", "Requests refused", refusals_.value());
    writer.counter("muster_raft_batches_total", "Synced writes of commands", batches_.value());
    writer.counter("muster_raft_written_bytes_total", "Bytes of log written",
                   bytes_written_.value());
    writer.counter("muster_raft_snapshots_total", "Snapshots taken", snapshots_taken_.value());
    writer.counter("muster_raft_disk_failures_total", "Failed disk operations",
                   disk_failures_.value());
    const ConsensusStatus now = status();
    writer.gauge("muster_raft_leader", "1 when this node leads", leading_ ? 1 : 0);
    writer.gauge("muster_raft_term", "Current term", static_cast<std::int64_t>(now.term.raw()));
    writer.gauge("muster_raft_applied_index", "Last command applied",
                 static_cast<std::int64_t>(now.applied.raw()));
    writer.gauge("muster_raft_log_bytes", "Log segments on disk",
                 static_cast<std::int64_t>(now.log_bytes));
    writer.gauge("muster_raft_waiting", "Commands that wait for the disk",
                 static_cast<std::int64_t>(now.waiting));
}

void SingleNode::answer_later(Ticket ticket, std::optional<Error> refused) {
    if (refused) {
        refusals_.add();
    }
    answers_.push_back({.ticket = ticket, .refused = std::move(refused)});
    env_.timers.arm(kAnswers, Duration::zero());
}

void SingleNode::send_answers() {
    // Only those known now: a listener that asks again is answered at the next turn.
    std::deque<Answer> answers = std::exchange(answers_, {});
    for (const Answer& answer : answers) {
        if (answer.refused) {
            listener_->on_refused(answer.ticket, *answer.refused);
        } else if (!answer.read) {
            listener_->on_applied(answer.ticket, LogIndex(applied_), {});
        } else {
            listener_->on_readable(answer.ticket, LogIndex(applied_));
        }
    }
}

void SingleNode::on_timer(env::TimerKey key) {
    if (key == kAnswers) {
        CHECK_BECAUSE(listener_ != nullptr || answers_.empty(), "asked before start()");
        send_answers();
    } else if (key == kSeal && phase_ == Phase::idle && unsealed_) {
        append_seal();
    } else if (key == kRetry && phase_ == Phase::broken) {
        term_ = Term(term_.raw() + 1);
        write_snapshot(Phase::opening_snapshot);
    }
}

// ---- writes, one at a time

env::DiskOpId SingleNode::next_op() {
    return env::DiskOpId(++last_op_);
}

std::string SingleNode::path_of(std::string_view name) const {
    return options_.folder + "/" + std::string(name);
}

void SingleNode::pump() {
    if (phase_ != Phase::idle) {
        return;
    }
    // A large state is not written again for a small change.
    const std::uint64_t enough = std::max(options_.snapshot_after_bytes, snapshot_bytes_);
    if (bytes_since_snapshot_ >= enough ||
        records_since_snapshot_ >= options_.snapshot_after_records) {
        write_snapshot(Phase::compacting);
    } else if (!waiting_.empty()) {
        append_batch();
    } else if (unsealed_) {
        env_.timers.arm(kSeal, options_.seal_delay);
    }
}

void SingleNode::append_batch() {
    const SegmentOnDisk& open = segments_.back();
    std::string bytes;
    std::uint64_t index = applied_;
    while (!waiting_.empty() && (bytes.empty() || bytes.size() < options_.batch_bytes_max)) {
        Proposal& proposal = waiting_.front();
        append_record(bytes, open.sequence, open.bytes,
                      {.type = RecordType::command,
                       .term = term_,
                       .index = LogIndex(++index),
                       .durable_bytes = open.bytes,
                       .payload = proposal.command});
        in_flight_.push_back(std::move(proposal));
        waiting_.pop_front();
    }
    phase_ = Phase::appending;
    writing_bytes_ = bytes.size();
    awaited_ = next_op();
    env_.disk.append(awaited_, path_of(segment_name(open.sequence)), std::move(bytes));
}

void SingleNode::append_seal() {
    const SegmentOnDisk& open = segments_.back();
    std::string bytes;
    append_record(bytes, open.sequence, open.bytes,
                  {.type = RecordType::seal,
                   .term = term_,
                   .index = LogIndex(applied_),
                   .durable_bytes = open.bytes,
                   .payload = {}});
    phase_ = Phase::sealing;
    writing_bytes_ = bytes.size();
    awaited_ = next_op();
    env_.disk.append(awaited_, path_of(segment_name(open.sequence)), std::move(bytes));
}

void SingleNode::write_snapshot(Phase phase) {
    phase_ = phase;
    writing_snapshot_ = applied_;
    std::string bytes = encode_snapshot(LogIndex(applied_), term_, machine_->snapshot());
    snapshot_bytes_ = bytes.size();
    awaited_ = next_op();
    env_.disk.replace(awaited_, path_of(snapshot_name(LogIndex(applied_))), std::move(bytes));
}

void SingleNode::open_segment() {
    phase_ = Phase::opening_segment;
    SegmentOnDisk segment{.sequence = next_sequence_++,
                          .first = LogIndex(applied_ + 1),
                          .bytes = kSegmentHeaderBytes};
    awaited_ = next_op();
    env_.disk.replace(awaited_, path_of(segment_name(segment.sequence)),
                      encode_segment_header(
                          {.sequence = segment.sequence, .first = segment.first, .term = term_}));
    segments_.push_back(segment);
}

void SingleNode::remove_file(const std::string& name) {
    env_.disk.remove(next_op(), path_of(name));
}

void SingleNode::remove_what_is_covered() {
    while (snapshots_.size() > 2) {
        remove_file(snapshot_name(snapshots_.front()));
        snapshots_.erase(snapshots_.begin());
    }
    // Without a second snapshot the whole log is the fallback for the first.
    const std::uint64_t kept = snapshots_.size() < 2 ? 0 : snapshots_.front().raw();
    const std::vector<std::uint64_t> ends = segment_ends(segments_);
    std::vector<SegmentOnDisk> needed;
    for (std::size_t i = 0; i < segments_.size(); ++i) {
        const bool open = i + 1 == segments_.size();
        const bool empty = segments_[i].first.raw() != 0 && ends[i] <= segments_[i].first.raw();
        if (open || (ends[i] > kept + 1 && !empty)) {
            needed.push_back(segments_[i]);
        } else {
            remove_file(segment_name(segments_[i].sequence));
        }
    }
    segments_ = std::move(needed);
}

// ---- what became of them

void SingleNode::on_disk(env::DiskOpId op, const Result<void>& outcome) {
    if (!outcome) {
        disk_failures_.add();
        env_.log.error("raft.disk.failed", {{"why", to_string(outcome.error())}});
    }
    if (op != awaited_) {
        return;  // a removal: a file that stays is covered all the same
    }
    awaited_ = {};
    if (!outcome && phase_ != Phase::compacting) {
        on_broken(outcome.error());
        return;
    }
    switch (phase_) {
        case Phase::appending: on_batch_durable(); break;
        case Phase::sealing:
            segments_.back().bytes += writing_bytes_;
            unsealed_ = false;
            phase_ = Phase::idle;
            break;
        case Phase::compacting:
        case Phase::opening_snapshot:
            records_since_snapshot_ = 0;
            bytes_since_snapshot_ = 0;
            if (outcome) {
                on_snapshot_durable();
            } else {
                phase_ = Phase::idle;  // the log is whole without it: again after as much more
            }
            break;
        case Phase::opening_segment: on_segment_durable(); break;
        case Phase::stopped:
        case Phase::idle:
        case Phase::broken: CHECK_BECAUSE(false, "no write is under way"); break;
    }
    pump();
}

void SingleNode::on_batch_durable() {
    segments_.back().bytes += writing_bytes_;
    bytes_since_snapshot_ += writing_bytes_;
    records_since_snapshot_ += in_flight_.size();
    bytes_written_.add(writing_bytes_);
    batches_.add();
    unsealed_ = true;
    // Proposals made by the listener wait: the phase stays `appending` until all are applied.
    for (const Proposal& proposal : in_flight_) {
        const LogIndex index(++applied_);
        std::string result = machine_->apply(index, proposal.command);
        waiting_bytes_ -= proposal.command.size();
        listener_->on_applied(proposal.ticket, index, std::move(result));
    }
    in_flight_.clear();
    phase_ = Phase::idle;
}

void SingleNode::on_snapshot_durable() {
    snapshots_taken_.add();
    if (snapshots_.empty() || snapshots_.back() != LogIndex(writing_snapshot_)) {
        snapshots_.push_back(LogIndex(writing_snapshot_));
    }
    open_segment();
}

void SingleNode::on_segment_durable() {
    unsealed_ = false;
    phase_ = Phase::idle;
    remove_what_is_covered();
    if (!leading_) {
        leading_ = true;
        listener_->on_leadership(true, term_);
    }
}

void SingleNode::on_broken(const Error& why) {
    if (phase_ == Phase::opening_segment) {
        segments_.pop_back();  // may be there or not: the next one replaces it
        --next_sequence_;
    }
    phase_ = Phase::broken;
    const bool led = std::exchange(leading_, false);
    send_answers();
    for (const Proposal& proposal : std::exchange(in_flight_, {})) {
        listener_->on_refused(proposal.ticket, Error{Errc::io_error, why.detail});
    }
    for (const Proposal& proposal : std::exchange(waiting_, {})) {
        listener_->on_refused(proposal.ticket,
                              Error{Errc::unavailable, "the log is being rebuilt"});
    }
    waiting_bytes_ = 0;
    if (led) {
        listener_->on_leadership(false, term_);
    }
    env_.timers.arm(kRetry, options_.retry_interval);
}

}  // namespace muster::raft
