#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "base/prng.h"
#include "env/disk.h"
#include "env/timers.h"
#include "raft/consensus.h"
#include "raft/log_store.h"
#include "raft/raft_core.h"
#include "raft/snapshot_builder.h"

namespace muster::raft {

// Carries messages to other nodes of the group. They may be lost, doubled and reordered; a
// connection that keeps their order makes replication faster. Loop thread only.
class RaftTransport {
public:
    virtual ~RaftTransport() = default;

    // Takes it or drops it; never blocks and never calls back from within. The bytes are those of
    // message_codec.h, to be handed to RaftNode::on_message() of `to`.
    virtual void send(const NodeId& to, std::string bytes) = 0;
};

struct RaftNodeOptions {
    std::uint64_t cluster = 0;  // messages and folders of another one are refused
    std::string folder = "meta";
    // The first members of a new group: the same list at each of them, kept for ever. Read when the
    // folder is empty or has lost every snapshot; without it a node with an empty folder waits to
    // be added. All of its voters must be there once for the group to begin, and for one that lost
    // its folder to take part again.
    std::optional<Membership> bootstrap;
    // Of a node with an empty folder: not zero, and larger than any that a folder lost before had.
    std::uint64_t first_life = 1;
    CoreOptions core;  // `core.node` is this node

    std::size_t command_bytes_max = 8 << 20;
    // A snapshot is taken after so much was applied since the last one, and at least its size.
    std::uint64_t snapshot_after_bytes = 4 << 20;
    std::uint64_t snapshot_after_records = 10'000;
    std::size_t segments_max = 16;  // more of them: a snapshot
    SpaceReserveOptions reserve;
    ScrubOptions scrub;
    // Of a snapshot, encoded at one turn of the loop.
    std::size_t snapshot_part_bytes = 256 << 10;
};

struct RaftNodeEnv {
    env::Disk& disk;
    env::Timers& timers;
    RaftTransport& transport;
    Prng prng;
    Log log;
};

// Consensus of several nodes: RaftCore with a disk, timers and a transport. A new leader is
// announced when it has agreed on something and applied all before it; until then proposals are
// answered not_ready. A proposal whose leader lost its office is answered `timeout`: it may still
// take effect.
//
// Owned by the process; loop thread only. Bounds: CoreOptions and command_bytes_max.
class RaftNode final : public Consensus,
                       public env::DiskTarget,
                       public env::TimerTarget,
                       private LogStoreListener {
public:
    RaftNode(RaftNodeOptions options, RaftNodeEnv env);

    // A log that is damaged is no error: the node goes on with what stands before the damage,
    // reports `truncated`, and neither votes nor leads until it caught up with a leader. Errors:
    // corrupt (its votes are lost), refused (of another release), conflict (of another node or
    // cluster), io_error.
    [[nodiscard]] Result<RecoveryReport> start(StateMachine& machine,
                                               ConsensusListener& listener) override;
    void propose(Ticket ticket, std::string command) override;
    void read_barrier(Ticket ticket) override;
    void change(Ticket ticket, const Membership& membership) override;
    void transfer(Ticket ticket, const NodeId& to) override;
    void stop(Ticket ticket) override;
    [[nodiscard]] ConsensusStatus status() const override;

    // What another node's RaftTransport sent; what cannot be read is dropped and counted. Errors:
    // bad_frame, bad_content, too_large, refused (of another release or cluster).
    [[nodiscard]] Result<void> on_message(std::string_view bytes);

    // The other node's process has ended as far as the transport can tell (its connection was
    // closed and a new one is refused): when it led, a new leader is looked for at once.
    void on_peer_gone(const NodeId& node);

    void on_disk(env::DiskOpId op, const Result<void>& outcome) override;
    void on_read(env::DiskOpId op, const Result<std::string>& bytes) override;
    void on_timer(env::TimerKey key) override;

    void write_metrics(MetricsWriter& writer) const;

    // The members as this node knows them, agreed or not yet.
    [[nodiscard]] Membership members() const;

    // For checkers. Requires: started.
    [[nodiscard]] const RaftCore& core() const;

private:
    static constexpr env::TimerKey kPart{5};  // of a snapshot is to be encoded

    struct Waiting {
        Ticket ticket;
        Term term;
        bool change = false;
    };
    struct Answer {
        Ticket ticket;
        std::optional<Error> why;  // nothing: done
    };

    void on_stored(std::uint64_t number) override;
    void on_snapshot_given_up(std::uint64_t number) override;
    void on_store_broken(const Error& why) override;
    void on_store_healed() override;
    void on_damage_found() override;

    void refuse_later(Ticket ticket, Error why);
    void flush_later();
    void send_answers();
    void run();
    void carry_out(Effects effects);
    void apply(const Entry& entry);
    void on_reign(const Effects::Reign& reign);
    void say_standing();
    void try_snapshot(const SnapshotImage& offer);
    void maybe_take_snapshot();
    void build_snapshot();

    RaftNodeOptions options_;
    RaftNodeEnv env_;
    LogStore store_;
    StateMachine* machine_ = nullptr;
    ConsensusListener* listener_ = nullptr;
    std::optional<RaftCore> core_;
    bool running_ = false;                 // effects are being carried out
    Standing standing_ = Standing::whole;  // as it was said last

    std::map<LogIndex, Waiting> waiting_;
    std::vector<Ticket> transfers_;  // that the handover under way answers
    std::deque<Answer> answers_;
    std::string broken_why_;

    std::optional<SnapshotBuilder> builder_;
    std::optional<LogIndex> snapshot_pending_;  // being written
    bool begin_anew_ = false;                   // with the next one: what is on disk went bad
    std::uint64_t bytes_since_snapshot_ = 0;
    std::uint64_t records_since_snapshot_ = 0;
    std::uint64_t snapshot_bytes_ = 0;

    Counter proposals_;
    Counter refusals_;
    Counter bad_messages_;
    Counter snapshots_taken_;
};

}  // namespace muster::raft
