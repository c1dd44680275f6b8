#include "raft/log_store.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "raft/record_log.h"
#include "raft/vote_file.h"

namespace muster::raft {

LogStore::LogStore(LogStoreOptions options, env::Disk& disk, env::Timers& timers, Log log,
                   LogStoreListener& listener)
    : options_(std::move(options)),
      disk_(disk),
      timers_(timers),
      log_(log),
      listener_(listener),
      reserve_(options_.reserve, options_.folder, options_.reserve_timer, disk, timers, log),
      scrub_(options_.scrub, options_.folder, options_.scrub_timer, disk, timers) {}

std::string LogStore::path_of(std::string_view name) const {
    return options_.folder + "/" + std::string(name);
}

// ---- writing

void LogStore::begin(const RaftCore::Start& start, bool fresh) {
    // In this order: votes are there only when all else is.
    tail_unknown_ = true;
    if (fresh) {
        queue_.push_back({.number = 0, .hard = {}, .entries = {}, .snapshot = start.snapshot});
    }
    queue_.push_back({.number = 0, .hard = start.hard, .entries = {}, .snapshot = {}});
    if (!fresh) {
        queue_.push_back({.number = 0, .hard = {}, .entries = {}, .snapshot = {}});
    }
    reserve_.make_room_for(start.snapshot.payload ? start.snapshot.payload->size() : 0);
    reserve_.begin();
    scrub_.begin();
    pump();
}

void LogStore::submit(Write write) {
    queue_.push_back(std::move(write));
    pump();
}

// What the front of the queue needs next; none: it is done.
LogStore::Step LogStore::next_step() const {
    const Write& write = queue_.front();
    if (write.hard) {
        switch (done_step_) {
            case Step::none: return Step::vote_a;
            case Step::vote_a: return Step::vote_b;
            default: return Step::none;
        }
    }
    if (write.snapshot) {
        const bool contradicts = write.voids_log && !write.anew && last_ >= write.snapshot->index;
        switch (done_step_) {
            case Step::none:
                if (tail_unknown_) {
                    return Step::cut;
                }
                return contradicts ? Step::void_log : Step::snapshot;
            case Step::cut: return contradicts ? Step::void_log : Step::snapshot;
            case Step::void_log: return Step::snapshot;
            case Step::snapshot: return Step::segment;
            default: return Step::none;
        }
    }
    if (tail_unknown_ || (!write.entries.empty() && write.entries.front().index <= last_)) {
        return Step::cut;
    }
    return write.entries.empty() || done_step_ == Step::append ? Step::none : Step::append;
}

void LogStore::pump() {
    while (step_ == Step::none && !waits_for_retry_ && !queue_.empty()) {
        const Step step = next_step();
        if (step != Step::none) {
            perform(step);
            return;
        }
        finish(1);
    }
    if (step_ == Step::none && queue_.empty() && unsealed_) {
        timers_.arm(options_.seal_timer, options_.seal_delay);
    }
}

void LogStore::perform(Step step) {
    step_ = step;
    awaited_ = next_op();
    Write* write = queue_.empty() ? nullptr : &queue_.front();
    switch (step) {
        case Step::vote_a: write_vote(kVoteFiles[0]); break;
        case Step::vote_b: write_vote(kVoteFiles[1]); break;
        case Step::void_log: open_segment(write->snapshot->index); break;
        case Step::snapshot: write_snapshot(); break;
        case Step::segment:
            open_segment(next(write->voids_log ? write->snapshot->index : last_));
            break;
        case Step::cut:
            open_segment(std::min(
                next(last_), write->entries.empty() ? next(last_) : write->entries.front().index));
            break;
        case Step::append: append_entries(); break;
        case Step::seal: append_seal(); break;
        case Step::none: break;
    }
}

void LogStore::replace(std::string name, std::string bytes, FileSum sum) {
    writing_name_ = std::move(name);
    writing_sum_ = std::move(sum);
    disk_.replace(awaited_, path_of(writing_name_), std::move(bytes));
}

// To the open segment.
void LogStore::append(std::string bytes) {
    writing_name_ = segment_name(segments_.back().sequence);
    writing_sum_ = scrub_.with(writing_name_, bytes);
    appending_bytes_ = bytes.size();
    disk_.append(awaited_, path_of(writing_name_), std::move(bytes));
}

void LogStore::write_snapshot() {
    Write& write = queue_.front();
    std::string file =
        write.snapshot_file.empty()
            ? encode_snapshot(write.snapshot->index, write.snapshot->term, *write.snapshot->payload)
            : std::exchange(write.snapshot_file, {});
    FileSum sum = sum_of_snapshot(file);
    replace(snapshot_name(write.snapshot->index), std::move(file), std::move(sum));
}

void LogStore::write_vote(std::string_view name) {
    const HardState& hard = *queue_.front().hard;
    if (name == kVoteFiles[0]) {
        ++votes_written_;
    }
    std::string file = encode_vote_file({.written = votes_written_,
                                         .cluster = options_.cluster,
                                         .node = options_.node,
                                         .hard = hard});
    FileSum sum = sum_of(file);
    replace(std::string(name), std::move(file), std::move(sum));
}

void LogStore::open_segment(LogIndex first) {
    const SegmentHeader header{.sequence = next_sequence_++, .first = first, .term = term_};
    std::string bytes = encode_segment_header(header);
    segments_.push_back({.sequence = header.sequence, .first = first, .bytes = bytes.size()});
    FileSum sum = sum_of(bytes);
    replace(segment_name(header.sequence), std::move(bytes), std::move(sum));
}

void LogStore::append_entries() {
    const SegmentOnDisk& open = segments_.back();
    std::string bytes;
    LogIndex expected = next(last_);
    appending_ = 0;
    for (const Write& write : queue_) {
        const bool follows = !write.hard && !write.snapshot && !write.entries.empty() &&
                             write.entries.front().index == expected;
        if (!follows || (appending_ > 0 && bytes.size() >= options_.batch_bytes_max)) {
            break;
        }
        for (const Entry& entry : write.entries) {
            std::string payload(1, static_cast<char>(entry.kind));
            if (entry.data) {
                payload += *entry.data;
            }
            append_record(bytes, open.sequence, open.bytes,
                          {.type = RecordType::command,
                           .term = entry.term,
                           .index = entry.index,
                           .durable_bytes = open.bytes,
                           .payload = payload});
        }
        expected = next(write.entries.back().index);
        ++appending_;
    }
    CHECK(appending_ > 0);
    appending_last_ = prior(expected);
    append(std::move(bytes));
}

void LogStore::append_seal() {
    const SegmentOnDisk& open = segments_.back();
    std::string bytes;
    append_record(bytes, open.sequence, open.bytes,
                  {.type = RecordType::seal,
                   .term = term_,
                   .index = last_,
                   .durable_bytes = open.bytes,
                   .payload = {}});
    append(std::move(bytes));
}

// ---- how it went

void LogStore::on_disk(env::DiskOpId op, const Result<void>& outcome) {
    if (!outcome) {
        failures_.add();
        log_.error("raft.disk.failed", {{"why", to_string(outcome.error())}});
    }
    if (reserve_.on_disk(op, outcome) || op != awaited_) {
        return;  // or a removal: a file that stays is covered all the same
    }
    awaited_ = {};
    if (outcome) {
        on_step_done();
        pump();
        return;
    }
    const Step failed = std::exchange(step_, Step::none);
    const bool more_space = reserve_.give_up();
    if (failed == Step::snapshot && !queue_.front().voids_log && queue_.front().number > 0) {
        const std::uint64_t number = queue_.front().number;
        queue_.pop_front();
        done_step_ = Step::none;
        snapshots_given_up_.add();
        log_.warning("raft.snapshot.not_written", {{"why", to_string(outcome.error())}});
        if (more_space) {
            remove_what_is_covered();
        }
        listener_.on_snapshot_given_up(number);
        pump();
        return;
    }
    if (failed == Step::cut || failed == Step::void_log || failed == Step::segment) {
        segments_.pop_back();  // may be there or not: the next one replaces it
        --next_sequence_;
    }
    tail_unknown_ = tail_unknown_ || failed == Step::append || failed == Step::seal;
    if (more_space) {
        remove_what_is_covered();
        ask_disk_again();
        return;
    }
    waits_for_retry_ = true;
    timers_.arm(options_.retry_timer, options_.retry_interval);
    if (!std::exchange(broken_, true)) {
        listener_.on_store_broken(outcome.error());
    }
}

void LogStore::on_read(env::DiskOpId op, const Result<std::string>& bytes) {
    if (const auto damage = scrub_.on_read(op, bytes)) {
        log_.error("raft.disk.damaged", {{"file", path_of(damage->name)}, {"why", damage->why}});
        listener_.on_damage_found();
    }
}

void LogStore::on_step_done() {
    const Step step = std::exchange(step_, Step::none);
    if (step == Step::append || step == Step::seal) {
        scrub_.appended(writing_name_, std::move(writing_sum_));
    } else {
        scrub_.wrote(writing_name_, std::move(writing_sum_));
    }
    switch (step) {
        case Step::void_log:
        case Step::cut:
            last_ = prior(segments_.back().first);
            tail_unknown_ = false;
            unsealed_ = false;
            mend_damaged_segments();
            for (const LogIndex index : std::exchange(damaged_snapshots_, {})) {
                remove_file(snapshot_name(index));
            }
            break;
        case Step::snapshot:
            std::erase(snapshots_, queue_.front().snapshot->index);
            snapshots_.push_back(queue_.front().snapshot->index);
            std::sort(snapshots_.begin(), snapshots_.end());
            reserve_.make_room_for(queue_.front().snapshot->payload->size());
            break;
        case Step::segment:
            last_ = prior(segments_.back().first);
            unsealed_ = false;
            queue_.front().anew ? remove_all_but_the_newest() : remove_what_is_covered();
            break;
        case Step::append:
            segments_.back().bytes += appending_bytes_;
            bytes_written_.add(appending_bytes_);
            appends_.add();
            last_ = appending_last_;
            unsealed_ = true;
            finish(appending_);
            return;
        case Step::seal:
            segments_.back().bytes += appending_bytes_;
            unsealed_ = false;
            break;
        case Step::vote_a:
        case Step::vote_b: term_ = std::max(term_, queue_.front().hard->term); break;
        case Step::none: CHECK_BECAUSE(false, "no write is under way");
    }
    if (step != Step::seal) {
        done_step_ = step;
    }
}

// A segment whose header cannot be read is made an empty one, so that none is missing.
void LogStore::mend_damaged_segments() {
    for (const std::uint64_t sequence : std::exchange(damaged_segments_, {})) {
        const LogIndex first = segments_.back().first;
        scrub_.forget(segment_name(sequence));
        disk_.replace(next_op(), path_of(segment_name(sequence)),
                      encode_segment_header({.sequence = sequence, .first = first, .term = term_}));
        for (SegmentOnDisk& segment : segments_) {
            if (segment.sequence == sequence) {
                segment = {.sequence = sequence, .first = first, .bytes = kSegmentHeaderBytes};
            }
        }
    }
}

void LogStore::finish(std::size_t writes) {
    done_step_ = Step::none;
    std::vector<std::uint64_t> numbers;
    for (std::size_t i = 0; i < writes; ++i) {
        numbers.push_back(queue_.front().number);
        queue_.pop_front();
    }
    if (std::exchange(broken_, false)) {
        log_.info("raft.disk.healed");
        listener_.on_store_healed();
    }
    for (const std::uint64_t number : numbers) {
        if (number > 0) {
            listener_.on_stored(number);
        }
    }
}

void LogStore::on_timer(env::TimerKey key) {
    if (key == options_.retry_timer && waits_for_retry_) {
        waits_for_retry_ = false;
        ask_disk_again();
    } else if (key == options_.reserve_timer) {
        reserve_.on_timer(!broken_);
    } else if (key == options_.scrub_timer) {
        scrub_.on_timer();
    } else if (key == options_.seal_timer && step_ == Step::none && queue_.empty() && unsealed_ &&
               !tail_unknown_) {
        perform(Step::seal);
    }
}

void LogStore::ask_disk_again() {
    if (queue_.empty()) {
        queue_.push_back({});  // a seal failed: what else shows that the disk is well again
    }
    pump();
}

void LogStore::remove_file(const std::string& name) {
    scrub_.forget(name);
    disk_.remove(next_op(), path_of(name));
}

void LogStore::remove_what_is_covered() {
    // A second one is for the case that the first goes bad: not when there is no space.
    while (snapshots_.size() > (reserve_.given_up() ? 1 : 2)) {
        remove_file(snapshot_name(snapshots_.front()));
        snapshots_.erase(snapshots_.begin());
    }
    if (snapshots_.empty()) {
        return;
    }
    const LogIndex kept = snapshots_.front();
    const std::vector<std::uint64_t> ends = segment_ends(segments_);
    while (segments_.size() > 1 && ends[ends.size() - segments_.size()] <= kept.raw() + 1) {
        remove_file(segment_name(segments_.front().sequence));
        segments_.erase(segments_.begin());
    }
}

// What is older stands beside something that went bad.
void LogStore::remove_all_but_the_newest() {
    while (snapshots_.size() > 1) {
        remove_file(snapshot_name(snapshots_.front()));
        snapshots_.erase(snapshots_.begin());
    }
    while (segments_.size() > 1) {
        remove_file(segment_name(segments_.front().sequence));
        segments_.erase(segments_.begin());
    }
}

std::uint64_t LogStore::log_bytes() const {
    std::uint64_t bytes = 0;
    for (const SegmentOnDisk& segment : segments_) {
        bytes += segment.bytes;
    }
    return bytes;
}

void LogStore::write_metrics(MetricsWriter& writer) const {
    writer.counter("muster_raft_batches_total", "Synced writes of entries", appends_.value());
    writer.counter("muster_raft_written_bytes_total", "Bytes of log written",
                   bytes_written_.value());
    writer.counter("muster_raft_disk_failures_total", "Failed disk operations", failures_.value());
    writer.counter("muster_raft_snapshots_not_written_total",
                   "Snapshots of the own state that the disk did not take",
                   snapshots_given_up_.value());
    writer.gauge("muster_raft_disk_broken", "1 while a failed write is being repeated",
                 broken_ ? 1 : 0);
    reserve_.write_metrics(writer);
    scrub_.write_metrics(writer);
    writer.gauge("muster_raft_log_bytes", "Log segments on disk",
                 static_cast<std::int64_t>(log_bytes()));
}

}  // namespace muster::raft
