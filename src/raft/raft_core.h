#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/prng.h"
#include "base/time.h"
#include "raft/messages.h"
#include "raft/progress.h"
#include "raft/raft_log.h"

namespace muster::raft {

struct CoreOptions {
    NodeId node;
    // Without word from a leader for so long a follower looks for another, after as much again at
    // most; a leader without word from a majority for so long steps down.
    Duration election_timeout = std::chrono::milliseconds(500);
    Duration heartbeat_interval = std::chrono::milliseconds(100);
    std::size_t append_bytes_max = 256 << 10;  // of the entries of one message
    std::size_t append_entries_max = 1024;
    WindowLimits window;
    std::size_t chunk_bytes = 64 << 10;          // of a snapshot, in one message
    std::size_t snapshot_bytes_max = 512 << 20;  // that is taken from a leader
    std::size_t uncommitted_max = 4096;          // entries a leader holds that are not agreed
    std::size_t uncommitted_bytes_max = 64 << 20;
    std::size_t unwritten_bytes_max = 64 << 20;  // that wait for this node's disk
    std::size_t trailing_bytes = 4 << 20;        // kept in memory behind a snapshot for laggards
    std::size_t reads_max = 4096;
};

// What must be durable before a node acts on it (thesis 3.8), and what it may have lost.
struct HardState {
    Term term;
    NodeId vote;
    std::uint64_t life = 0;
    bool doubt = false;  // neither votes nor leads until it caught up with a leader

    [[nodiscard]] bool operator==(const HardState&) const = default;
};

// A state and where it stands. `payload` is the membership, then the machine's bytes.
struct SnapshotImage {
    LogIndex index;
    Term term;
    SharedBytes payload;
    std::uint32_t crc = 0;  // crc32c of the payload
};

// An order for the disk; orders are carried out in their order and reported by number.
struct Write {
    std::uint64_t number = 0;
    std::optional<HardState> hard;
    // Replaces the log from the first one on. Never together with a snapshot.
    std::vector<Entry> entries;
    std::optional<SnapshotImage> snapshot;
    // Entries from the snapshot on are void: it came from a leader.
    bool voids_log = false;
    // With voids_log: it is this node's own, and stands in place of all that is there.
    bool anew = false;
    std::string snapshot_file = {};  // its bytes on disk; empty: not made yet
};

// What a node's word is worth to the others.
enum class Standing : std::uint8_t {
    whole,
    // Some of its log was lost: neither votes nor leads until it caught up with a leader.
    doubtful,
    // Its folder was empty: says nothing at all until it knows what it may have promised.
    blank,
};

enum class CoreTimer : std::uint8_t { election = 1, heartbeat = 2, transfer = 3 };

// What the core wants done. In the order of the fields.
struct Effects {
    struct Timer {
        CoreTimer timer;
        std::optional<Duration> delay;  // nothing: cancel
    };
    struct Readable {
        Ticket ticket;
        LogIndex index;
    };
    struct Reign {
        bool leads = false;
        Term term;
    };
    std::vector<Timer> timers;
    std::vector<Write> writes;
    std::vector<Message> messages;
    std::vector<Entry> committed;  // to be applied; before `reigns`
    std::vector<Readable> readable;
    std::vector<Ticket> unreadable;   // leadership was lost
    std::optional<bool> transferred;  // how transfer() ended
    std::vector<Reign> reigns;
    // To be tried on the machine and answered by accept_snapshot() or refuse_snapshot().
    std::optional<SnapshotImage> offer;
};

// Raft without time, threads, sockets and files: messages, timers and reports of the disk go in,
// Effects come out (Ongaro, "Consensus: Bridging Theory and Practice", 2014: the thesis). Owned by
// a RaftNode; loop thread only.
//
//   follower --(silence, pre-vote)--> candidate --(majority)--> leader
//       ^------(a leader, a newer term)---/  <---(no majority, failed disk, newer term)---/
//
//   blank --(all others hold nothing)--> whole     a group begins
//     \-----(one of them holds something)--> doubtful --(caught up with a leader)--> whole
//
// Bounds: CoreOptions. Invariants: 1. no message leaves before the term and vote it rests on are
// durable; 2. a node counts or acknowledges only entries its disk reported; 3. a leader only
// appends; 4. it counts only entries of its own term (3.6.2, figure 3.7); 5. a follower
// acknowledges only what this leader sent or what is agreed.
class RaftCore {
public:
    // What was found on disk. Entries follow the snapshot without a gap.
    struct Start {
        HardState hard;
        SnapshotImage snapshot;
        Membership membership;
        std::vector<Entry> entries;
    };

    RaftCore(CoreOptions options, Prng prng, Start start);

    // Each of these may leave something in the effects.
    void begin();
    void receive(const Message& message);
    void on_timer(CoreTimer timer);
    void on_written(std::uint64_t number);
    // A snapshot of this node's own state could not be written: the log goes on without it.
    void on_snapshot_failed(std::uint64_t number);
    // A write failed and is being repeated: no leadership until it succeeded.
    void on_disk_broken();
    void on_disk_healed();
    // What is on the disk went bad, all of this node's memory is still there: it neither votes nor
    // leads nor acknowledges until write_anew() is durable. What it acknowledged before counts no
    // more.
    void on_damage();

    // The place the command took; whether it is agreed shows when that is applied. Errors:
    // not_leader, not_ready (handing over, or no entry of this reign is agreed), over_limit.
    [[nodiscard]] Result<LogIndex> propose(SharedBytes command);
    // Errors: the same.
    [[nodiscard]] Result<void> read_barrier(Ticket ticket);
    // Errors: the same, refused, busy (another change is under way), unavailable (too few members
    // would be there). When this node is to lose its vote: not_leader, and it begins to hand over.
    [[nodiscard]] Result<LogIndex> change(const Membership& wanted);
    // Errors: not_leader, refused, busy, unavailable.
    [[nodiscard]] Result<void> transfer(const NodeId& to);
    // The voter that has most of this leader's log and was heard of lately; nothing: none was.
    [[nodiscard]] std::optional<NodeId> successor(const Membership& among) const;
    // This node does not campaign any more.
    void retire() {
        retired_ = true;
    }
    // The other node's process has ended, as far as one can tell from here: when it led, a new
    // leader is looked for at once. Wrong word costs nothing: who hears the leader refuses.
    void on_peer_gone(const NodeId& node);

    // The state at `image.index` is written, and when that is durable the log behind it forgotten.
    // `file` is what is written. Requires: the index is applied and not older than snapshot().
    void take_snapshot(SnapshotImage image, std::string file);
    // The same, and all entries after it are written again, in place of what is on the disk.
    void write_anew(SnapshotImage image, std::string file);
    // The answers to Effects::offer.
    void accept_snapshot(Membership membership);
    void refuse_snapshot();

    // Sends and writes what there is, and hands out the effects.
    [[nodiscard]] Effects take_effects();

    [[nodiscard]] ConsensusRole role() const;
    [[nodiscard]] Standing standing() const;
    // Whose answer a blank node waits for.
    [[nodiscard]] std::vector<NodeId> unheard() const;
    [[nodiscard]] bool ready() const {
        return reign_announced_;
    }
    [[nodiscard]] Term term() const {
        return hard_.term;
    }
    [[nodiscard]] const NodeId& leader() const {
        return leader_;
    }
    [[nodiscard]] const HardState& hard_state() const {
        return hard_;
    }
    [[nodiscard]] const RaftLog& log() const {
        return log_;
    }
    [[nodiscard]] LogIndex commit() const {
        return commit_;
    }
    [[nodiscard]] LogIndex applied() const {
        return applied_;
    }
    [[nodiscard]] LogIndex durable() const {
        return durable_;
    }
    [[nodiscard]] const SnapshotImage& snapshot() const {
        return snapshot_;
    }
    [[nodiscard]] const std::map<NodeId, Progress>& followers() const {
        return followers_;
    }
    void write_metrics(MetricsWriter& writer) const;

private:
    enum class Role : std::uint8_t { follower, pre_candidate, candidate, leader };
    struct Pending {
        std::uint64_t number = 0;
        LogIndex last = {};  // of what it makes durable and is still in the log
        std::size_t bytes = 0;
        bool hard = false;
        std::optional<SnapshotImage> snapshot = {};  // of this node's own state
    };
    struct Incoming {
        LogIndex index;
        Term index_term;
        Term term;
        std::uint64_t total = 0;
        std::uint32_t crc = 0;
        std::string bytes;
        bool offered = false;
    };
    struct Handover {
        NodeId to;
        Term term;
    };

    // raft_core.cc
    void arm(CoreTimer timer, Duration delay);
    void write_hard();
    void send(const NodeId& to, Term term, MessageBody body);
    void send(const NodeId& to, MessageBody body) {
        send(to, hard_.term, std::move(body));
    }
    void write_entries();
    void apply();
    void set_commit(LogIndex commit);
    [[nodiscard]] bool hard_pending() const;

    // raft_core_election.cc
    void on_election_timer();
    void listen();  // (re)starts the wait for a leader
    void step_down(Term term, const NodeId& leader);
    [[nodiscard]] bool electable() const;
    void campaign();
    void begin_election(bool transfer);
    void request_votes(bool pre, bool transfer);
    void count_votes();
    void lead();
    void check_quorum();
    [[nodiscard]] bool at_least_as_new(LogIndex last, Term last_term) const;
    void on_vote_request(const Message& message, const VoteRequest& request);
    void on_vote_reply(const Message& message, const VoteReply& reply);
    void on_timeout_now(const Message& message);

    // raft_core_blank.cc
    void ask_past();
    void on_past_request(const Message& message, const PastRequest& request);
    void on_past_reply(const Message& message, const PastReply& reply);
    void end_blank();

    // raft_core_leader.cc
    void follow_membership();
    void heartbeat();
    void send_entries(const NodeId& to, Progress& follower);
    void send_heartbeat(const NodeId& to, Progress& follower);
    void send_chunks(const NodeId& to, Progress& follower);
    void on_append_reply(const Message& message, const AppendReply& reply);
    void on_snapshot_reply(const Message& message, const SnapshotReply& reply);
    [[nodiscard]] bool heard(Progress& follower, std::uint64_t round, std::uint64_t life);
    void advance_commit();
    void open_round();
    void close_round();
    void answer_reads();
    void drop_reads();
    void advance_transfer();
    void end_transfer(bool done);
    [[nodiscard]] Result<void> may_propose() const;
    LogIndex append_own(EntryKind kind, SharedBytes data);

    // raft_core_follower.cc
    [[nodiscard]] bool follow(const Message& message);
    void on_append(const Message& message, const AppendRequest& request);
    void take_entries(const AppendRequest& request);
    void on_chunk(const Message& message, const SnapshotChunk& chunk);
    void acknowledge();
    void resolve_doubt();

    // raft_core_damage.cc
    void distrust_disk();

    CoreOptions options_;
    Prng prng_;
    Role role_ = Role::follower;
    HardState hard_;
    RaftLog log_;
    SnapshotImage snapshot_;
    NodeId leader_;
    LogIndex commit_;
    LogIndex applied_;
    LogIndex durable_;
    LogIndex handed_;  // to the disk, durable or not
    bool broken_ = false;
    bool retired_ = false;

    std::deque<Pending> pending_;
    std::uint64_t last_write_ = 0;
    std::vector<Message> held_;  // until the hard state is durable
    std::size_t unwritten_bytes_ = 0;
    Effects effects_;

    // follower
    bool hears_leader_ = false;  // within the election timeout
    LogIndex verified_;          // so far this log is known to be that of the leader
    std::uint64_t heard_round_ = 0;
    bool owes_reply_ = false;
    std::optional<LogIndex> doubt_until_;
    std::optional<Incoming> incoming_;

    // damage
    bool mending_ = false;                // nothing but the disk is in doubt
    std::optional<LogIndex> mend_until_;  // being written again

    // blank
    struct Past {
        Term term;
        bool nothing = false;
    };
    std::map<NodeId, Past> pasts_;

    // candidate
    std::set<NodeId> votes_;
    unsigned failed_elections_ = 0;

    // leader
    std::map<NodeId, Progress> followers_;
    LogIndex reign_begin_;
    std::size_t uncommitted_bytes_ = 0;  // of this reign
    bool reign_announced_ = false;
    std::uint64_t round_ = 0;
    bool round_open_ = false;
    LogIndex round_index_;
    std::vector<Ticket> round_reads_;
    std::vector<Ticket> next_reads_;
    std::deque<Effects::Readable> confirmed_reads_;
    std::optional<Handover> handover_;

    Counter elections_;
    Counter reigns_;
    Counter dropped_;
    Counter snapshots_sent_;
    Counter snapshots_installed_;
};

}  // namespace muster::raft
