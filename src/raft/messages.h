#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "raft/consensus.h"

// What the nodes of one group say to each other (Raft thesis, chapters 3, 4, 6 and 9). Every
// message may be lost, doubled, delayed and overtaken. Bytes: docs/protocol/raft_messages.md.
namespace muster::raft {

enum class EntryKind : std::uint8_t {
    command = 1,     // for the state machine
    barrier = 2,     // begins a reign; empty
    membership = 3,  // encode_membership(); holds from the moment it is in the log
};

// One place of the agreed order. Its bytes are shared by the log, messages and writes.
struct Entry {
    Term term;
    LogIndex index;
    EntryKind kind = EntryKind::command;
    SharedBytes data;
};

// Candidate -> everybody: may I lead `Message::term`? Idempotent.
struct VoteRequest {
    // A question only: whoever answers binds itself to nothing (thesis 9.6).
    bool pre = false;
    // The leader asked for this election: heard by those who hear that leader, too (thesis 3.10).
    bool transfer = false;
    LogIndex last_index;
    Term last_term;
};

struct VoteReply {
    bool pre = false;
    bool granted = false;
};

// Leader -> follower: the entries after (prev_index, prev_term); none: a heartbeat. Idempotent.
struct AppendRequest {
    LogIndex prev_index;
    Term prev_term;
    LogIndex commit;
    std::uint64_t round = 0;  // of leadership confirmation (thesis 6.4)
    LogIndex last;            // the end of the leader's log
    std::uint64_t life = 0;   // echo of AppendReply::life
    std::vector<Entry> entries;
};

struct AppendReply {
    bool accepted = false;
    // Accepted: up to here this log is that of the leader, and durable. Refused: at most up to here
    // the logs can be the same, where this log has `hint_term`.
    LogIndex match;
    LogIndex refused_prev;
    Term hint_term;
    std::uint64_t round = 0;
    // How often this node lost what it may have acknowledged. What an earlier life acknowledged
    // no longer holds; this one votes only once it has what a leader held after reading this.
    std::uint64_t life = 0;
    bool doubt = false;  // it does not vote yet
};

// Leader -> follower: a part of the state at `index`, for whom the log does not reach back.
// Idempotent.
struct SnapshotChunk {
    LogIndex index;
    Term index_term;
    std::uint64_t total = 0;
    std::uint32_t crc = 0;  // of the whole
    std::uint64_t offset = 0;
    std::uint64_t round = 0;
    std::string bytes;
};

// The next byte wanted.
struct SnapshotReply {
    LogIndex index;
    std::uint64_t offset = 0;
    std::uint64_t round = 0;
    std::uint64_t life = 0;
};

// Blank node -> every other voter: what was before me? A blank node found its folder empty: it is
// new with its group, or has lost what it promised. Idempotent.
struct PastRequest {
    std::uint64_t life = 0;
};

// The answer; Message::term is not below any that the sender acted in.
struct PastReply {
    std::uint64_t life = 0;  // echo of PastRequest::life
    bool nothing = false;    // the sender holds no entry and no snapshot of one
};

// Leader -> its chosen successor: begin an election at once (thesis 3.10).
struct TimeoutNow {};

using MessageBody = std::variant<VoteRequest, VoteReply, AppendRequest, AppendReply, SnapshotChunk,
                                 SnapshotReply, TimeoutNow, PastRequest, PastReply>;

struct Message {
    NodeId from;
    NodeId to;
    // Of the sender; of a pre-vote request and its grant: the one asked for.
    Term term;
    MessageBody body;
};

}  // namespace muster::raft
