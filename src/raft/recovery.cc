#include "raft/recovery.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "raft/record_log.h"

namespace muster::raft {
namespace {

struct SegmentFile {
    std::string path;
    std::string bytes;
    std::uint64_t sequence = 0;
    std::optional<SegmentScan> scan;  // nothing: the header is damaged
    std::string damage;
};

class Recovery {
public:
    Recovery(env::Disk& disk, const RecoveryOptions& options) : disk_(disk), options_(options) {}

    Result<RecoveredLog> run() {
        auto names = disk_.list(options_.folder);
        if (!names) {
            return wrap("list " + options_.folder, std::move(names).error());
        }
        MUSTER_TRY(read_snapshots(*names));
        MUSTER_TRY(read_segments(*names));
        MUSTER_TRY(follow_segments());
        log_.report.records_kept = log_.commands.size();
        return std::move(log_);
    }

private:
    Result<void> read_snapshots(const std::vector<std::string>& names);
    Result<void> read_segments(const std::vector<std::string>& names);
    Result<void> follow_segments();
    Result<void> take_segment(const SegmentFile& file, std::uint64_t end, bool is_last);
    Result<void> check_tail(const SegmentFile& file);
    // Commands from `next_` on are lost that were acknowledged.
    Result<void> lose(const std::string& path, const std::string& what);

    [[nodiscard]] std::string path_of(std::string_view name) const {
        return options_.folder + "/" + std::string(name);
    }

    env::Disk& disk_;
    const RecoveryOptions& options_;
    RecoveredLog log_;
    std::vector<SegmentFile> files_;
    std::uint64_t next_ = 1;      // the command that must come next
    std::uint64_t at_least_ = 0;  // of a damaged snapshot: commands up to here were agreed
    std::string damaged_snapshot_;
    bool stopped_ = false;
};

Result<void> Recovery::read_snapshots(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        const auto index = parse_snapshot_name(name);
        if (!index) {
            continue;
        }
        auto bytes = disk_.read(path_of(name));
        if (!bytes) {
            return wrap("read " + path_of(name), std::move(bytes).error());
        }
        auto file = decode_snapshot(*bytes);
        if (!file && file.error().code == Errc::refused) {
            return wrap(path_of(name), std::move(file).error());
        }
        if (!file || file->index != *index) {  // names are sorted: the newest comes last
            log_.report.damaged_files.push_back(path_of(name));
            log_.snapshots_damaged.push_back(*index);
            at_least_ = index->raw();
            damaged_snapshot_ = path_of(name);
            continue;
        }
        log_.snapshot = std::string(file->payload);
        log_.snapshot_term = file->term;
        log_.snapshots_on_disk.push_back(*index);
        log_.sums.emplace_back(name, sum_of_snapshot(*bytes));
        log_.report.snapshot = *index;
        log_.term = std::max(log_.term, file->term);
    }
    next_ = log_.report.snapshot.raw() + 1;
    return {};
}

Result<void> Recovery::read_segments(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        const auto sequence = parse_segment_name(name);
        if (!sequence) {
            continue;
        }
        SegmentFile file{.path = path_of(name), .sequence = *sequence};
        auto bytes = disk_.read(file.path);
        if (!bytes) {
            return wrap("read " + file.path, std::move(bytes).error());
        }
        file.bytes = std::move(*bytes);
        log_.sums.emplace_back(name, sum_of(file.bytes));
        files_.push_back(std::move(file));
    }
    for (SegmentFile& file : files_) {  // in their final place: the scan refers to the bytes
        auto scan = scan_segment(file.bytes);
        if (!scan && scan.error().code == Errc::refused) {
            return wrap(file.path, std::move(scan).error());
        }
        if (!scan) {
            file.damage = std::move(scan).error().detail;
        } else if (scan->header.sequence != file.sequence) {
            file.damage = "its header names another sequence than its file name";
        } else {
            log_.term = std::max(log_.term, scan->header.term);
            file.scan = std::move(*scan);
        }
        log_.segments.push_back({.sequence = file.sequence,
                                 .first = file.scan ? file.scan->header.first : LogIndex(),
                                 .bytes = file.bytes.size()});
    }
    return {};
}

Result<void> Recovery::lose(const std::string& path, const std::string& what) {
    if (!options_.allow_truncated_log) {
        return fail(Errc::corrupt,
                    fmt::format("{}: {}. Commands from index {} on were acknowledged and cannot be "
                                "read. Restore the folder {} from a copy, or keep a copy of it and "
                                "start once with allow_truncated_log to go on with what stands "
                                "before",
                                path, what, next_, options_.folder));
    }
    log_.report.truncated = true;
    log_.report.dropped_from = path;
    log_.report.reason = what;
    stopped_ = true;
    return {};
}

Result<void> Recovery::check_tail(const SegmentFile& file) {
    const std::uint64_t dropped = file.bytes.size() - file.scan->valid_bytes;
    if (dropped == 0) {
        return {};
    }
    const std::string where = fmt::format("the record at byte {}", file.scan->valid_bytes);
    if (file.scan->damaged_after_durable) {
        MUSTER_TRY(lose(file.path, where + " is damaged and had been durable"));
    } else {
        log_.report.dropped_from = file.path;
        log_.report.reason = where + " was not written to its end";
    }
    log_.report.bytes_dropped += dropped;
    return {};
}

Result<void> Recovery::take_segment(const SegmentFile& file, std::uint64_t end, bool is_last) {
    const std::uint64_t first = file.scan->header.first.raw();
    if (end <= next_) {
        return {};  // in the snapshot, or void
    }
    if (first > next_) {
        return lose(file.path,
                    fmt::format("it begins at index {}: what stood before is missing", first));
    }
    for (const SegmentScan::Command& command : file.scan->commands) {
        if (command.index.raw() == next_ && next_ < end) {
            log_.commands.push_back({command.index, command.term, std::string(command.payload)});
            log_.term = std::max(log_.term, command.term);
            ++next_;
        }
    }
    if (is_last) {
        return check_tail(file);
    }
    if (next_ < end) {
        log_.report.bytes_dropped += file.bytes.size() - file.scan->valid_bytes;
        return lose(file.path, fmt::format("the record at byte {} is damaged or missing",
                                           file.scan->valid_bytes));
    }
    return {};
}

Result<void> Recovery::follow_segments() {
    const std::vector<std::uint64_t> ends = segment_ends(log_.segments);
    for (std::size_t i = 0; i < files_.size() && !stopped_; ++i) {
        // What the missing one voided would count again.
        const bool gap =
            options_.gapless && i > 0 && files_[i].sequence != files_[i - 1].sequence + 1;
        if (gap && ends[i - 1] > log_.report.snapshot.raw() + 1) {
            MUSTER_TRY(lose(files_[i].path, "the segment before it is missing"));
            break;
        }
        if (files_[i].scan) {
            MUSTER_TRY(take_segment(files_[i], ends[i], i + 1 == files_.size()));
        } else if (ends[i] > log_.report.snapshot.raw() + 1) {
            log_.report.bytes_dropped += files_[i].bytes.size();
            MUSTER_TRY(lose(files_[i].path, files_[i].damage));
        }
    }
    // A snapshot of index 0 precedes the first segment ever when that could not be written at once.
    const bool begun = log_.report.snapshot != LogIndex() || at_least_ > 0;
    if (!stopped_ && files_.empty() && begun) {
        MUSTER_TRY(lose(options_.folder, "there is a snapshot but no log"));
    }
    if (!stopped_ && next_ <= at_least_) {
        MUSTER_TRY(
            lose(damaged_snapshot_, "this snapshot is damaged and the log before it is gone"));
    }
    log_.report.last = LogIndex(next_ - 1);
    return {};
}

}  // namespace

std::vector<std::uint64_t> segment_ends(const std::vector<SegmentOnDisk>& segments) {
    std::vector<std::uint64_t> ends(segments.size(), UINT64_MAX);
    for (std::size_t i = segments.size(); i-- > 1;) {
        const std::uint64_t first = segments[i].first.raw();
        ends[i - 1] = std::min(ends[i], first != 0 ? first : UINT64_MAX);
    }
    return ends;
}

Result<RecoveredLog> recover(env::Disk& disk, const RecoveryOptions& options) {
    return Recovery(disk, options).run();
}

}  // namespace muster::raft
