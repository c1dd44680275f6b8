#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "raft/consensus.h"

namespace muster::raft {

struct WindowLimits {
    std::size_t messages_max = 32;
    std::size_t bytes_max = 4 << 20;
};

// What a leader knows of one follower, and what it may send it next. Part of the core of one reign.
//
//   probe ----(accepted)----> replicate        probe: where do the logs part? one message at a time
//     ^  <---(refused)----------/ |            replicate: entries follow each other within a window
//     |                           | (log does not reach back; also from probe)
//     +----(installed)---- snapshot <----------/    snapshot: parts within a window
//
// Invariants: 1. match < next; 2. what is in flight lies in (match, next) and within the window.
class Progress {
public:
    enum class State : std::uint8_t { probe, replicate, snapshot };
    // The state that is being sent.
    struct Transfer {
        LogIndex index;
        std::uint64_t total = 0;
        std::uint64_t acknowledged = 0;
        std::uint64_t sent = 0;
    };

    Progress(LogIndex next, WindowLimits limits) : next_(next), limits_(limits) {}

    [[nodiscard]] State state() const {
        return state_;
    }
    // Durable at the follower, as it said in this reign.
    [[nodiscard]] LogIndex match() const {
        return match_;
    }
    [[nodiscard]] LogIndex next() const {
        return next_;
    }
    // Whether entries may be sent now.
    [[nodiscard]] bool may_send() const;

    // Entries up to `last` were sent.
    void on_sent(LogIndex last, std::size_t bytes);
    // The follower has the leader's log up to `match`, durably. True: that is news.
    bool on_accepted(LogIndex match);
    // It refused what follows `prev`; the logs can be the same up to `hint` at most.
    void on_refused(LogIndex prev, LogIndex hint);
    // It lost what it had and begins a new life. False: a word from a life before that.
    bool on_life(std::uint64_t life);
    // Something may have been lost on the way: a heartbeat's time went by.
    void on_heartbeat();

    void begin_snapshot(LogIndex index, std::uint64_t total);
    // The bytes to send next from `offset`; nothing: wait. Requires: state is snapshot.
    [[nodiscard]] std::optional<std::uint64_t> next_chunk(std::size_t chunk_bytes) const;
    void on_chunk_sent(std::uint64_t end);
    void on_chunk_reply(LogIndex index, std::uint64_t offset);
    [[nodiscard]] const Transfer& transfer() const {
        return transfer_;
    }

    // Heard from since this was last cleared (check-quorum, thesis 6.2).
    bool active = false;
    bool active_before = false;  // in the time before that
    [[nodiscard]] bool lately() const {
        return active || active_before;
    }
    std::uint64_t round = 0;  // the newest it confirmed
    bool doubt = true;        // it does not vote, as far as is known
    // It would vote, and was heard of: it can be counted on.
    [[nodiscard]] bool there() const {
        return lately() && !doubt;
    }

    [[nodiscard]] std::uint64_t life() const {
        return life_;
    }

private:
    struct Sent {
        LogIndex last;
        std::size_t bytes;
    };
    void free_up_to(LogIndex match);
    void probe_from(LogIndex next);

    State state_ = State::probe;
    LogIndex match_;
    LogIndex next_;
    std::uint64_t life_ = 0;
    WindowLimits limits_;
    bool probe_sent_ = false;
    std::deque<Sent> in_flight_;
    std::size_t in_flight_bytes_ = 0;
    Transfer transfer_;
    bool transfer_moved_ = false;  // since the last heartbeat
};

}  // namespace muster::raft
