#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "env/disk.h"
#include "raft/consensus.h"
#include "raft/record_log.h"

namespace muster::raft {

struct RecoveryOptions {
    std::string folder;
    // Give up acknowledged commands that are damaged, and all after them. Set by an operator only.
    bool allow_truncated_log = false;
    // Of this folder segments go only from the front: one that is missing may have voided
    // something.
    bool gapless = false;
};

struct RecoveredCommand {
    LogIndex index;
    Term term;
    std::string bytes;
};

struct SegmentOnDisk {
    std::uint64_t sequence = 0;
    LogIndex first;  // zero: its header is damaged
    std::uint64_t bytes = 0;
};

// The index before which the commands of each segment count (rule 2 below); UINT64_MAX: all do.
[[nodiscard]] std::vector<std::uint64_t> segment_ends(const std::vector<SegmentOnDisk>& segments);

// What a folder holds: the state at `report.snapshot` and the commands after it.
struct RecoveredLog {
    std::string snapshot;
    Term snapshot_term;                       // of the command at report.snapshot
    std::vector<LogIndex> snapshots_on_disk;  // whole ones, ascending
    std::vector<LogIndex> snapshots_damaged;  // to be removed before the log goes on
    std::vector<SegmentOnDisk> segments;      // ascending by sequence
    std::vector<RecoveredCommand> commands;
    Term term;                                          // the largest anywhere
    std::vector<std::pair<std::string, FileSum>> sums;  // of these files, by name
    RecoveryReport report;
};

// Reads a folder and decides what of it holds. Changes nothing. The rules:
//   1. The newest whole snapshot counts, with the commands after it, which must follow each other
//      without a gap up to the end, and at least up to the index of a damaged newer snapshot.
//   2. A segment voids, in all segments of smaller sequence, the commands from its first index on.
//   3. At the end of the last segment, bytes that are no whole record are a torn write nobody was
//      told of, and dropped - unless a later record proves that they had been durable.
//   4. Anything else that is missing or damaged was acknowledged: corrupt, unless the operator
//      allowed to go on with the commands before it.
// Errors: corrupt, refused (files of another release), io_error.
[[nodiscard]] Result<RecoveredLog> recover(env::Disk& disk, const RecoveryOptions& options);

}  // namespace muster::raft
