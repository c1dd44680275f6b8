#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "env/disk.h"
#include "env/timers.h"
#include "raft/raft_core.h"
#include "raft/recovery.h"
#include "raft/scrub.h"
#include "raft/space_reserve.h"

namespace muster::raft {

// Who is told how writes went. Never from within submit().
class LogStoreListener {
public:
    virtual ~LogStoreListener() = default;
    virtual void on_stored(std::uint64_t number) = 0;
    // A snapshot of the node's own state was given up; the log is whole without it.
    virtual void on_snapshot_given_up(std::uint64_t number) = 0;
    // Nothing is stored until the write that failed succeeds; it is repeated until then.
    virtual void on_store_broken(const Error& why) = 0;
    virtual void on_store_healed() = 0;
    // A file went bad that had been whole: what is there cannot be relied on until a write that
    // begins the folder anew is stored.
    virtual void on_damage_found() = 0;
};

struct LogStoreOptions {
    NodeId node;
    std::uint64_t cluster = 0;
    std::string folder = "meta";
    std::size_t batch_bytes_max = 4 << 20;  // of entries written at once
    Duration seal_delay = std::chrono::milliseconds(100);
    Duration retry_interval = std::chrono::milliseconds(500);
    SpaceReserveOptions reserve;
    ScrubOptions scrub;
    env::TimerKey seal_timer;
    env::TimerKey retry_timer;
    env::TimerKey reserve_timer;
    env::TimerKey scrub_timer;
};

// What open() found.
struct StoredLog {
    RaftCore::Start start;
    std::string state;   // of the machine, at start.snapshot.index
    bool fresh = false;  // nothing was there
    RecoveryReport report;
};

// One node's log, snapshots and votes in a folder of env::Disk, in the formats of record_log.h and
// vote_file.h. One write is under way at a time; entries that wait are written together.
//
// A segment that begins at an index voids what older segments hold from there on: so is a log
// truncated, and so is what a failed write may have left behind. Votes are in two files, written
// one after the other: one of them may go bad. The first write that fails has the reserved space
// given up and is repeated at once; only when that fails, too, the store is broken. What is there
// is read back now and then (scrub.h).
//
// Owned by a RaftNode; loop thread only. Bounds: what waits is bounded by the core.
// Invariants: 1. writes are reported in their order, once durable; 2. what was reported is found by
// the next open(), or open() says that it is not.
class LogStore {
public:
    LogStore(LogStoreOptions options, env::Disk& disk, env::Timers& timers, Log log,
             LogStoreListener& listener);

    // Reads the folder. Damaged entries: what stands before them, in doubt. Requires: called once.
    // Errors: corrupt (no vote can be read, with what to do), refused (of another release),
    // conflict (of another node or cluster), io_error.
    [[nodiscard]] Result<StoredLog> open();

    // Makes the folder ready for `start`; before anything else is submitted.
    void begin(const RaftCore::Start& start, bool fresh);

    void submit(Write write);
    void on_disk(env::DiskOpId op, const Result<void>& outcome);
    void on_read(env::DiskOpId op, const Result<std::string>& bytes);
    void on_timer(env::TimerKey key);

    [[nodiscard]] std::uint64_t log_bytes() const;
    [[nodiscard]] std::size_t segments() const {
        return segments_.size();
    }
    [[nodiscard]] LogIndex newest_snapshot() const {
        return snapshots_.empty() ? LogIndex() : snapshots_.back();
    }
    // True once when space is short and a snapshot would make the log smaller.
    [[nodiscard]] bool take_compaction_wish() {
        return reserve_.take_wish();
    }
    void write_metrics(MetricsWriter& writer) const;

private:
    enum class Step : std::uint8_t {
        none,
        vote_a,
        vote_b,
        void_log,  // before a snapshot that contradicts what is there
        snapshot,
        segment,  // after a snapshot
        cut,      // before entries that replace others, or after a failed append
        append,
        seal,
    };

    [[nodiscard]] Result<HardState> read_votes(const std::vector<std::string>& names,
                                               bool log_is_empty);
    [[nodiscard]] Result<void> take_commands(RecoveredLog& log, StoredLog& found);
    [[nodiscard]] std::string path_of(std::string_view name) const;
    void pump();
    [[nodiscard]] Step next_step() const;
    void perform(Step step);
    void replace(std::string name, std::string bytes, FileSum sum);
    void append(std::string bytes);
    void write_vote(std::string_view name);
    void write_snapshot();
    void open_segment(LogIndex first);
    void append_entries();
    void append_seal();
    void on_step_done();
    void mend_damaged_segments();
    void finish(std::size_t writes);
    void ask_disk_again();
    void remove_file(const std::string& name);
    void remove_what_is_covered();
    void remove_all_but_the_newest();
    [[nodiscard]] env::DiskOpId next_op() {
        return env::DiskOpId(++last_op_);
    }

    LogStoreOptions options_;
    env::Disk& disk_;
    env::Timers& timers_;
    Log log_;
    LogStoreListener& listener_;
    SpaceReserve reserve_;
    Scrub scrub_;

    std::deque<Write> queue_;
    Step step_ = Step::none;       // under way
    Step done_step_ = Step::none;  // of the front of the queue
    bool broken_ = false;
    bool waits_for_retry_ = false;
    bool tail_unknown_ = false;  // an append failed
    bool unsealed_ = false;
    std::uint64_t last_op_ = 0;
    env::DiskOpId awaited_;

    Term term_;                            // of the last hard state or entry, for segment headers
    LogIndex last_;                        // of the entries on disk
    std::vector<SegmentOnDisk> segments_;  // ascending by sequence; the last one is open
    std::vector<std::uint64_t> damaged_segments_;
    std::vector<LogIndex> damaged_snapshots_;
    std::vector<LogIndex> snapshots_;
    std::uint64_t next_sequence_ = 1;
    std::uint64_t votes_written_ = 0;
    std::size_t appending_ = 0;  // writes in the append under way
    std::size_t appending_bytes_ = 0;
    LogIndex appending_last_;
    // Of the file that is being written: all of it, or what is being appended.
    std::string writing_name_;
    FileSum writing_sum_;

    Counter appends_;
    Counter bytes_written_;
    Counter failures_;
    Counter snapshots_given_up_;
};

}  // namespace muster::raft
