#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "raft/log_store.h"
#include "raft/membership.h"
#include "raft/record_log.h"
#include "raft/vote_file.h"

namespace muster::raft {

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
            continue;
        }
        scrub_.wrote(std::string(name), sum_of(*bytes));
        if (!newest || file->written > newest->written) {
            newest = std::move(*file);
        }
    }
    if (!newest) {
        if (log_is_empty && damage.empty()) {
            return HardState{};
        }
        return fail(
            Errc::corrupt,
            fmt::format("{}it is not known how '{}' voted. Remove all of the folder {}: with "
                        "an empty one the node asks the others what it may have promised",
                        damage, options_.node.raw(), options_.folder));
    }
    if (newest->node != options_.node || newest->cluster != options_.cluster) {
        return fail(Errc::conflict,
                    fmt::format("the folder {} belongs to node '{}' of cluster {:x}, this is '{}' "
                                "of cluster {:x}: give this node its own folder back, or an empty "
                                "one",
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
    for (auto& [name, sum] : log->sums) {
        scrub_.wrote(name, std::move(sum));
    }
    next_sequence_ = segments_.empty() ? 1 : segments_.back().sequence + 1;
    snapshots_ = log->snapshots_on_disk;
    damaged_snapshots_ = log->snapshots_damaged;
    last_ = log->report.last;
    term_ = std::max(log->term, found.start.hard.term);
    MUSTER_TRY(take_commands(*log, found));
    return found;
}

}  // namespace muster::raft
