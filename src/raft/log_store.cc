#include "raft/log_store.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "raft/membership.h"
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
      reserve_(options_.reserve, options_.folder, options_.reserve_timer, disk, timers, log) {}

std::string LogStore::path_of(std::string_view name) const {
    return options_.folder + "/" + std::string(name);
}

// ---- reading

Result<HardState> LogStore::read_votes(const std::vector<std::string>& names, bool log_is_empty) {
    std::optional<VoteFile> newest;
    std::string damage;
    for (const std::string_view name : kVoteFiles) {
        if (std::find(names.begin(), names.end(), name) == names.end()) {
            continue;
        }
        auto bytes = disk_.read(path_of(name));
        if (!bytes) {
            return wrap("read " + path_of(name), std::move(bytes).error());
        }
        auto file = decode_vote_file(*bytes);
        if (!file && file.error().code == Errc::refused) {
            return wrap(path_of(name), std::move(file).error());
        }
        if (!file) {
            damage += path_of(name) + ": " + file.error().detail + "; ";
            log_.warning("raft.recovery.damaged_file", {{"file", path_of(name)}});
        } else if (!newest || file->written > newest->written) {
            newest = std::move(*file);
        }
    }
    if (!newest) {
        if (log_is_empty && damage.empty()) {
            return HardState{};
        }
        return fail(Errc::corrupt,
                    fmt::format("{}it is not known how this node voted. Remove '{}' from the group "
                                "and let it join with an empty folder and a new id",
                                damage, options_.node.raw()));
    }
    if (newest->node != options_.node || newest->cluster != options_.cluster) {
        return fail(Errc::refused,
                    fmt::format("the folder {} belongs to node '{}' of cluster {:x}, this is '{}' "
                                "of cluster {:x}",
                                options_.folder, newest->node.raw(), newest->cluster,
                                options_.node.raw(), options_.cluster));
    }
    votes_written_ = newest->written;
    return newest->hard;
}

Result<void> LogStore::take_commands(RecoveredLog& log, StoredLog& found) {
    std::string_view payload = log.snapshot;
    if (!log.snapshots_on_disk.empty()) {
        auto membership = take_membership(payload);
        if (!membership) {
            return wrap("members in " + path_of(snapshot_name(log.report.snapshot)),
                        std::move(membership).error());
        }
        found.start.membership = std::move(*membership);
    }
    found.state = std::string(payload);
    found.start.snapshot = {
        .index = log.report.snapshot,
        .term = log.snapshot_term,
        .payload = std::make_shared<const std::string>(std::move(log.snapshot))};
    for (RecoveredCommand& command : log.commands) {
        const auto kind = command.bytes.empty() ? std::uint8_t{0}
                                                : static_cast<std::uint8_t>(command.bytes.front());
        if (kind < 1 || kind > 3) {
            return fail(Errc::refused, fmt::format("entry {} is of a kind this release does not "
                                                   "know",
                                                   command.index.raw()));
        }
        command.bytes.erase(0, 1);
        std::string_view members = command.bytes;
        if (kind == static_cast<std::uint8_t>(EntryKind::membership)) {
            MUSTER_TRY(take_membership(members));
        }
        found.start.entries.push_back(
            {.term = command.term,
             .index = command.index,
             .kind = static_cast<EntryKind>(kind),
             .data = std::make_shared<const std::string>(std::move(command.bytes))});
    }
    return {};
}

namespace {

// More missing segments than this are not of this store's making.
constexpr std::size_t kMendedMax = 256;

// Terms never fall in a log; where they do, entries stand that had been replaced.
void drop_falling_terms(RecoveredLog& log) {
    Term before = log.snapshot_term;
    for (std::size_t i = 0; i < log.commands.size(); ++i) {
        if (log.commands[i].term < before) {
            log.report.last = prior(log.commands[i].index);
            log.report.truncated = true;
            log.report.reason =
                fmt::format("the term falls at entry {}", log.commands[i].index.raw());
            log.commands.resize(i);
            return;
        }
        before = log.commands[i].term;
    }
}

}  // namespace

Result<StoredLog> LogStore::open() {
    auto names = disk_.list(options_.folder);
    if (!names) {
        return wrap("list " + options_.folder, std::move(names).error());
    }
    RecoveryOptions how{.folder = options_.folder, .allow_truncated_log = false, .gapless = true};
    auto log = recover(disk_, how);
    if (!log && log.error().code == Errc::corrupt) {
        how.allow_truncated_log = true;
        log = recover(disk_, how);
    }
    if (!log) {
        return wrap("recover the log", std::move(log).error());
    }
    drop_falling_terms(*log);
    StoredLog found{.start = {}, .state = {}, .fresh = false, .report = log->report};
    const bool empty = log->commands.empty() && log->report.snapshot == LogIndex() &&
                       !log->report.truncated && log->snapshots_damaged.empty();
    auto hard = read_votes(*names, empty);
    if (!hard) {
        return std::unexpected(std::move(hard).error());
    }
    found.start.hard = std::move(*hard);
    found.fresh = votes_written_ == 0;
    if (log->report.truncated) {
        ++found.start.hard.life;
        found.start.hard.doubt = true;
    }
    for (const SegmentOnDisk& segment : log->segments) {
        // Those missing before it are made up for like damaged ones, or they would be missed for
        // ever.
        while (!segments_.empty() && segments_.back().sequence + 1 < segment.sequence &&
               damaged_segments_.size() < kMendedMax) {
            damaged_segments_.push_back(segments_.back().sequence + 1);
            segments_.push_back({.sequence = damaged_segments_.back()});
        }
        if (segment.first == LogIndex()) {
            damaged_segments_.push_back(segment.sequence);
        }
        segments_.push_back(segment);
    }
    reserve_.found(*names);
    next_sequence_ = segments_.empty() ? 1 : segments_.back().sequence + 1;
    snapshots_ = log->snapshots_on_disk;
    damaged_snapshots_ = log->snapshots_damaged;
    last_ = log->report.last;
    term_ = std::max(log->term, found.start.hard.term);
    MUSTER_TRY(take_commands(*log, found));
    return found;
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
        const bool contradicts = write.voids_log && last_ >= write.snapshot->index;
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
        case Step::snapshot:
            disk_.replace(awaited_, path_of(snapshot_name(write->snapshot->index)),
                          write->snapshot_file.empty()
                              ? encode_snapshot(write->snapshot->index, write->snapshot->term,
                                                *write->snapshot->payload)
                              : std::exchange(write->snapshot_file, {}));
            break;
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

void LogStore::write_vote(std::string_view name) {
    const HardState& hard = *queue_.front().hard;
    if (name == kVoteFiles[0]) {
        ++votes_written_;
    }
    disk_.replace(awaited_, path_of(name),
                  encode_vote_file({.written = votes_written_,
                                    .cluster = options_.cluster,
                                    .node = options_.node,
                                    .hard = hard}));
}

void LogStore::open_segment(LogIndex first) {
    const SegmentHeader header{.sequence = next_sequence_++, .first = first, .term = term_};
    std::string bytes = encode_segment_header(header);
    segments_.push_back({.sequence = header.sequence, .first = first, .bytes = bytes.size()});
    disk_.replace(awaited_, path_of(segment_name(header.sequence)), std::move(bytes));
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
    appending_bytes_ = bytes.size();
    disk_.append(awaited_, path_of(segment_name(open.sequence)), std::move(bytes));
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
    appending_bytes_ = bytes.size();
    disk_.append(awaited_, path_of(segment_name(open.sequence)), std::move(bytes));
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

void LogStore::on_step_done() {
    const Step step = std::exchange(step_, Step::none);
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
            remove_what_is_covered();
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
    writer.gauge("muster_raft_log_bytes", "Log segments on disk",
                 static_cast<std::int64_t>(log_bytes()));
}

}  // namespace muster::raft
