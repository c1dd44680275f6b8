#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "env/disk.h"
#include "env/timers.h"
#include "raft/consensus.h"
#include "raft/recovery.h"

namespace muster::raft {

struct SingleNodeOptions {
    NodeId node;
    std::string folder = "meta";
    bool allow_truncated_log = false;  // RecoveryOptions

    std::size_t command_bytes_max = 8 << 20;
    std::size_t waiting_max = 4096;  // proposals not yet durable
    std::size_t waiting_bytes_max = 64 << 20;
    std::size_t batch_bytes_max = 16 << 20;
    // A snapshot is taken after so much was logged since the last one, and at least its size.
    std::uint64_t snapshot_after_bytes = 4 << 20;
    std::uint64_t snapshot_after_records = 10'000;
    std::size_t segments_max = 16;  // more of them at a start: a snapshot first
    // A quiet log is sealed after so long, so that damage of its last record is told from a torn
    // write.
    Duration seal_delay = std::chrono::milliseconds(100);
    Duration retry_interval = std::chrono::seconds(1);
};

struct SingleNodeEnv {
    env::Disk& disk;
    env::Timers& timers;
    Log log;
};

// Consensus of one: a command is agreed once it is durable in the log of this node. One write is
// under way at a time; what is proposed meanwhile goes into the next one together.
//
//   stopped -> opening -> idle <-> appending | sealing
//                 ^        |  ^
//                 |        v  |
//              broken <- compacting       (any failed write but that of a snapshot: broken)
//
// broken: the log on disk is no longer known, so nothing is added to it. The node gives up its
// leadership, and after the retry interval writes its state as a snapshot and begins a new segment
// and term, which voids whatever the failed write left behind.
//
// Loop thread only. Invariants: 1. nothing is applied or answered before it is durable; 2. the file
// being appended to is the segment with the largest sequence; 3. a file goes only when a newer
// snapshot than the one it is needed for is durable, and the one before that is kept too.
class SingleNode final : public Consensus, public env::DiskTarget, public env::TimerTarget {
public:
    SingleNode(SingleNodeOptions options, SingleNodeEnv env);

    [[nodiscard]] Result<RecoveryReport> start(StateMachine& machine,
                                               ConsensusListener& listener) override;
    void propose(Ticket ticket, std::string command) override;
    void read_barrier(Ticket ticket) override;
    void change(Ticket ticket, const Membership& membership) override;
    void transfer(Ticket ticket, const NodeId& to) override;
    // There is nobody to hand over to: answered at once.
    void stop(Ticket ticket) override;
    [[nodiscard]] ConsensusStatus status() const override;

    void write_metrics(MetricsWriter& writer) const;

    void on_disk(env::DiskOpId op, const Result<void>& outcome) override;
    void on_timer(env::TimerKey key) override;

private:
    enum class Phase : std::uint8_t {
        stopped,
        opening_snapshot,
        opening_segment,
        idle,
        appending,
        sealing,
        compacting,  // the snapshot; its segment is written as opening_segment
        broken,
    };
    struct Proposal {
        Ticket ticket;
        std::string command;
    };
    // An answer that was known within the call.
    struct Answer {
        Ticket ticket;
        std::optional<Error> refused;  // nothing: good
        bool read = true;
    };

    void answer_later(Ticket ticket, std::optional<Error> refused);
    void send_answers();
    [[nodiscard]] env::DiskOpId next_op();
    [[nodiscard]] std::string path_of(std::string_view name) const;
    void restore(RecoveredLog log, StateMachine& machine);

    void pump();
    void append_batch();
    void append_seal();
    void write_snapshot(Phase phase);
    void open_segment();
    void remove_file(const std::string& name);
    void remove_what_is_covered();

    void on_batch_durable();
    void on_snapshot_durable();
    void on_segment_durable();
    void on_broken(const Error& why);

    SingleNodeOptions options_;
    SingleNodeEnv env_;
    StateMachine* machine_ = nullptr;
    ConsensusListener* listener_ = nullptr;

    Phase phase_ = Phase::stopped;
    bool leading_ = false;
    Term term_;
    std::uint64_t applied_ = 0;
    std::uint64_t writing_snapshot_ = 0;   // index of the one on its way to disk
    std::vector<SegmentOnDisk> segments_;  // ascending by sequence; the last one is open
    std::vector<LogIndex> snapshots_;      // ascending
    std::uint64_t next_sequence_ = 1;
    std::uint64_t records_since_snapshot_ = 0;
    std::uint64_t bytes_since_snapshot_ = 0;
    std::uint64_t snapshot_bytes_ = 0;  // size of the newest
    bool unsealed_ = false;

    std::deque<Proposal> waiting_;
    std::size_t waiting_bytes_ = 0;  // in flight included
    std::vector<Proposal> in_flight_;
    std::size_t writing_bytes_ = 0;
    std::deque<Answer> answers_;
    std::uint64_t last_op_ = 0;
    env::DiskOpId awaited_;  // of the write under way; other reports are of removals

    Counter proposals_;
    Counter refusals_;
    Counter batches_;
    Counter bytes_written_;
    Counter snapshots_taken_;
    Counter disk_failures_;
};

}  // namespace muster::raft
