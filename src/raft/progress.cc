#include "raft/progress.h"

#include <algorithm>

#include "base/check.h"

namespace muster::raft {
namespace {

// Parts of a snapshot under way at once.
constexpr std::uint64_t kChunksInFlight = 4;

}  // namespace

bool Progress::may_send() const {
    switch (state_) {
        case State::probe: return !probe_sent_;
        case State::replicate:
            return in_flight_.size() < limits_.messages_max && in_flight_bytes_ < limits_.bytes_max;
        case State::snapshot: return false;
    }
    return false;
}

void Progress::on_sent(LogIndex last, std::size_t bytes) {
    if (state_ == State::probe) {
        probe_sent_ = true;
        return;
    }
    CHECK(state_ == State::replicate && last >= next_);
    next_ = LogIndex(last.raw() + 1);
    in_flight_.push_back({last, bytes});
    in_flight_bytes_ += bytes;
}

void Progress::free_up_to(LogIndex match) {
    while (!in_flight_.empty() && in_flight_.front().last <= match) {
        in_flight_bytes_ -= in_flight_.front().bytes;
        in_flight_.pop_front();
    }
}

bool Progress::on_accepted(LogIndex match) {
    const bool news = match > match_;
    match_ = std::max(match_, match);
    next_ = std::max(next_, LogIndex(match_.raw() + 1));
    free_up_to(match_);
    if (state_ == State::probe || (state_ == State::snapshot && match_ >= transfer_.index)) {
        state_ = State::replicate;
        next_ = LogIndex(match_.raw() + 1);
        probe_sent_ = false;
    }
    return news;
}

void Progress::probe_from(LogIndex next) {
    state_ = State::probe;
    next_ = std::max(next, LogIndex(match_.raw() + 1));
    probe_sent_ = false;
    in_flight_.clear();
    in_flight_bytes_ = 0;
}

void Progress::on_refused(LogIndex prev, LogIndex hint) {
    // Behind what it acknowledged: the answer to something old.
    if (state_ == State::snapshot || prev <= match_) {
        return;
    }
    if (state_ == State::probe && prev.raw() + 1 != next_.raw()) {
        return;
    }
    probe_from(LogIndex(std::min(prev.raw() - 1, hint.raw()) + 1));
}

bool Progress::on_life(std::uint64_t life) {
    if (life > life_) {
        life_ = life;
        match_ = LogIndex();
        transfer_ = {};
        probe_from(next_);
    }
    return life == life_;
}

void Progress::on_heartbeat() {
    probe_sent_ = false;
    if (state_ == State::snapshot && !transfer_moved_) {
        // All of it was there and is not durable after a while: it may have crashed with it.
        if (transfer_.acknowledged >= transfer_.total) {
            transfer_.acknowledged = 0;
        }
        transfer_.sent = transfer_.acknowledged;
    }
    transfer_moved_ = false;
}

void Progress::begin_snapshot(LogIndex index, std::uint64_t total) {
    probe_from(LogIndex(index.raw() + 1));
    state_ = State::snapshot;
    transfer_ = {.index = index, .total = total};
    transfer_moved_ = true;
}

std::optional<std::uint64_t> Progress::next_chunk(std::size_t chunk_bytes) const {
    CHECK(state_ == State::snapshot);
    if (transfer_.sent >= transfer_.total ||
        transfer_.sent >= transfer_.acknowledged + kChunksInFlight * chunk_bytes) {
        return std::nullopt;
    }
    return transfer_.sent;
}

void Progress::on_chunk_sent(std::uint64_t end) {
    transfer_.sent = end;
}

void Progress::on_chunk_reply(LogIndex index, std::uint64_t offset) {
    if (state_ != State::snapshot || index != transfer_.index) {
        return;
    }
    // Less than before: the follower began anew.
    transfer_moved_ = transfer_moved_ || offset > transfer_.acknowledged;
    transfer_.acknowledged = offset;
    transfer_.sent = std::max(transfer_.sent, offset);
}

}  // namespace muster::raft
