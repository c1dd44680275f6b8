#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "env/disk.h"
#include "env/timers.h"

namespace muster::raft {

struct SpaceReserveOptions {
    std::size_t bytes = 8 << 20;  // at least; zero: none is kept
    std::size_t piece_bytes = 1 << 20;
    Duration interval = std::chrono::seconds(30);  // between attempts to have it back
};

// Space on the disk that is taken while there is plenty, so that a full disk leaves room for what
// makes a log small again: a snapshot, a segment, the votes. Files "reserve-<n>.mres" of bytes that
// no file system makes smaller. Given up at the first write that fails, had back later.
//
//   short --(written)--> whole --(a write failed)--> given up --(interval)--> short
//
// Part of a LogStore; loop thread only. Bounds: one operation under way. Its operations on the disk
// have ids of their own.
class SpaceReserve {
public:
    SpaceReserve(SpaceReserveOptions options, std::string folder, env::TimerKey timer,
                 env::Disk& disk, env::Timers& timers, Log log);

    // What is there of it. Requires: before all else.
    void found(const std::vector<std::string>& names);
    void begin();

    // A snapshot has so many bytes: it must fit in as a second one.
    void make_room_for(std::size_t snapshot_bytes);

    // True: there was something, and the disk is told to remove it.
    bool give_up();

    // True: it was an operation of this.
    bool on_disk(env::DiskOpId op, const Result<void>& outcome);
    // `may_write`: the log itself can be written.
    void on_timer(bool may_write);

    // True once after the space was needed or could not be had: the log should be made small.
    [[nodiscard]] bool take_wish();

    [[nodiscard]] bool given_up() const {
        return given_up_;
    }
    [[nodiscard]] std::size_t bytes() const {
        return pieces_ * options_.piece_bytes;
    }
    void write_metrics(MetricsWriter& writer) const;

private:
    void write_piece();
    [[nodiscard]] std::string path_of(std::size_t piece) const;

    SpaceReserveOptions options_;
    std::string folder_;
    env::TimerKey timer_;
    env::Disk& disk_;
    env::Timers& timers_;
    Log log_;

    std::size_t wanted_ = 0;  // pieces
    std::size_t pieces_ = 0;
    bool given_up_ = false;
    bool wish_ = false;
    std::uint64_t last_op_ = 0;
    std::optional<env::DiskOpId> writing_;

    Counter times_given_up_;
};

}  // namespace muster::raft
