#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "model/ids.h"

namespace muster::raft {

// Position of a command in the agreed order; the first is 1.
using LogIndex = Id<struct LogIndexTag, std::uint64_t>;

// One reign. Grows with every change of the leader and with every start of a single node: whoever
// acts by a smaller term than another acts for a leader that is no more (fencing epoch).
using Term = Id<struct TermTag, std::uint64_t>;

// Names one request of one caller; the caller chooses the numbers and does not reuse one that is
// still open.
using Ticket = Id<struct TicketTag, std::uint64_t>;

// A state as it was when it was looked at, whatever is applied since. Handed out in parts, so that
// a large one does not keep the loop from its other work. Loop thread only.
class StateView {
public:
    virtual ~StateView() = default;

    // Appends the next part to `out`: `bytes_max` and a little more at most. False: it was the
    // last.
    [[nodiscard]] virtual bool append_part(std::string& out, std::size_t bytes_max) = 0;

    // What all parts take together, about: memory is taken for so much at once.
    [[nodiscard]] virtual std::size_t bytes_about() const = 0;
};

// What the nodes agree on. Deterministic: the same commands in the same order give the same state
// and the same results on every node and in every release that reads them. Loop thread only.
class StateMachine {
public:
    virtual ~StateMachine() = default;

    // Carries out one agreed command; each index once, in order. The result goes to the proposer
    // only. A command it cannot read is answered by a result that says so, never by a crash.
    virtual std::string apply(LogIndex index, std::string_view command) = 0;

    // Whether this release knows the command; asked about every command found in the log before any
    // is applied, so that a state is not built with some left out. Errors: refused.
    [[nodiscard]] virtual Result<void> readable(std::string_view command) const = 0;

    // The state as bytes; restore() of them gives the same state.
    [[nodiscard]] virtual std::string snapshot() const = 0;

    // The same bytes in parts, of the state as it is now. Taken while commands wait: it must be far
    // cheaper than snapshot() for a state that is large. By default snapshot() in one part.
    [[nodiscard]] virtual std::unique_ptr<StateView> view() const;

    // Replaces the state. On failure the state is as before. Errors: corrupt, refused (written by a
    // newer release).
    [[nodiscard]] virtual Result<void> restore(std::string_view snapshot) = 0;
};

// Who is told. No call comes from within a call to Consensus.
class ConsensusListener {
public:
    virtual ~ConsensusListener() = default;

    // The proposal is agreed, durable and applied.
    virtual void on_applied(Ticket ticket, LogIndex index, std::string result) = 0;

    // The answer to read_barrier(): what was applied up to `index` includes everything that anybody
    // was told before the call.
    virtual void on_readable(Ticket ticket, LogIndex index) = 0;

    // The request failed. With io_error and timeout a proposal may still take effect; with every
    // other code it has not and will not.
    virtual void on_refused(Ticket ticket, const Error& why) = 0;

    // This node leads from now on (true) or no longer (false). What it proposed before and is not
    // answered yet is refused first.
    virtual void on_leadership(bool leads, Term term) = 0;
};

enum class ConsensusRole : std::uint8_t { stopped, recovering, follower, candidate, leader };

[[nodiscard]] std::string_view to_string(ConsensusRole role);

struct ConsensusStatus {
    ConsensusRole role = ConsensusRole::stopped;
    Term term;
    NodeId leader;  // empty: not known
    // It lost what it knew, and does not vote until it caught up with a leader.
    bool doubtful = false;
    // Its folder was empty, and it does nothing until these have said what was before.
    std::vector<NodeId> unheard = {};
    LogIndex commit;
    LogIndex applied;
    LogIndex snapshot;            // the newest one on disk; zero: none
    std::uint64_t log_bytes = 0;  // of the segments a restart would read
    std::size_t waiting = 0;      // proposals not yet durable
};

// What start() found on disk.
struct RecoveryReport {
    LogIndex snapshot;  // zero: none was there
    LogIndex last;      // of the last command kept
    std::uint64_t records_kept = 0;
    std::uint64_t bytes_dropped = 0;
    std::string dropped_from;                // the file; empty: nothing was dropped
    std::string reason;                      // why bytes were dropped, for people
    std::vector<std::string> damaged_files;  // that could be done without
    bool truncated = false;  // acknowledged commands were given up, as the operator allowed
};

// Wanted members of the group: voters decide, learners only receive what is agreed.
struct Membership {
    std::vector<NodeId> voters;
    std::vector<NodeId> learners = {};

    [[nodiscard]] bool operator==(const Membership&) const = default;
};

// Agreement on one order of commands. Nothing blocks; every request is answered exactly once by an
// event of the listener, later and never from within the call. Owned by the process, one per group,
// outlives nobody it was started with. Loop thread only.
//
// Bounds: size of one command, number and bytes of proposals not yet durable (too_large,
// over_limit).
class Consensus {
public:
    virtual ~Consensus() = default;

    // Reads what is on disk into `machine` before it returns; leadership comes as an event. Both
    // must live as long as this. Requires: called once. Errors: corrupt (with the file and what can
    // be done), refused (files of a newer release), io_error.
    [[nodiscard]] virtual Result<RecoveryReport> start(StateMachine& machine,
                                                       ConsensusListener& listener) = 0;

    // Answer: on_applied, or on_refused with not_leader, not_ready, too_large, over_limit,
    // io_error.
    virtual void propose(Ticket ticket, std::string command) = 0;

    // Answer: on_readable, or on_refused with not_leader, not_ready, io_error.
    virtual void read_barrier(Ticket ticket) = 0;

    // Answer: on_applied (with an empty result), or on_refused. A leader that is to lose its vote
    // hands its office to another voter and answers not_leader: the new one is to be asked.
    virtual void change(Ticket ticket, const Membership& membership) = 0;

    // Hands the leadership to `to`. Answer: on_applied (with an empty result), or on_refused.
    virtual void transfer(Ticket ticket, const NodeId& to) = 0;

    // Before the process ends: a leader hands its office to whom it is the least work for, and this
    // node does not ask for it again. Answer: on_applied (with an empty result): the process
    // may end; or on_refused (unavailable, timeout): nobody took over.
    virtual void stop(Ticket ticket) = 0;

    [[nodiscard]] virtual ConsensusStatus status() const = 0;
};

}  // namespace muster::raft
