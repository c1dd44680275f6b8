#include "raft/space_reserve.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "base/prng.h"

namespace muster::raft {
namespace {

// Above all ids that a LogStore gives.
constexpr std::uint64_t kOwnOps = std::uint64_t{1} << 63U;
// Until a node that starts has done what is urgent.
constexpr Duration kFirstDelay = std::chrono::seconds(1);

std::string name_of(std::size_t piece) {
    return fmt::format("reserve-{:04}.mres", piece);
}

std::string noise(std::size_t bytes, std::uint64_t seed) {
    Prng prng(seed);
    std::string out(bytes, '\0');
    for (std::size_t at = 0; at + sizeof(std::uint64_t) <= bytes; at += sizeof(std::uint64_t)) {
        const std::uint64_t word = prng.next();
        std::memcpy(out.data() + at, &word, sizeof word);
    }
    return out;
}

}  // namespace

SpaceReserve::SpaceReserve(SpaceReserveOptions options, std::string folder, env::TimerKey timer,
                           env::Disk& disk, env::Timers& timers, Log log)
    : options_(options),
      folder_(std::move(folder)),
      timer_(timer),
      disk_(disk),
      timers_(timers),
      log_(log) {
    make_room_for(0);
}

std::string SpaceReserve::path_of(std::size_t piece) const {
    return folder_ + "/" + name_of(piece);
}

void SpaceReserve::found(const std::vector<std::string>& names) {
    while (std::find(names.begin(), names.end(), name_of(pieces_)) != names.end()) {
        ++pieces_;
    }
}

void SpaceReserve::begin() {
    timers_.arm(timer_, kFirstDelay);
}

void SpaceReserve::make_room_for(std::size_t snapshot_bytes) {
    if (options_.bytes == 0) {
        return;
    }
    // In powers of two: a state that grows slowly does not have it grown all the time.
    const std::size_t bytes =
        std::max(options_.bytes, std::bit_ceil(snapshot_bytes + snapshot_bytes / 2));
    wanted_ = std::max(wanted_, (bytes + options_.piece_bytes - 1) / options_.piece_bytes);
    if (pieces_ < wanted_ && pieces_ > 0 && !given_up_ && !writing_) {
        write_piece();
    }
}

bool SpaceReserve::give_up() {
    if (pieces_ == 0) {
        return false;
    }
    log_.error("raft.disk.reserve_given_up", {{"bytes", std::uint64_t{bytes()}}});
    times_given_up_.add();
    const std::size_t last = pieces_ + (writing_ ? 1 : 0);
    for (std::size_t piece = last; piece-- > 0;) {
        disk_.remove(env::DiskOpId(kOwnOps + ++last_op_), path_of(piece));
    }
    pieces_ = 0;
    given_up_ = true;
    wish_ = true;
    writing_.reset();
    timers_.arm(timer_, options_.interval);
    return true;
}

void SpaceReserve::write_piece() {
    writing_ = env::DiskOpId(kOwnOps + ++last_op_);
    disk_.replace(*writing_, path_of(pieces_), noise(options_.piece_bytes, pieces_));
}

bool SpaceReserve::on_disk(env::DiskOpId op, const Result<void>& outcome) {
    if (op.raw() < kOwnOps) {
        return false;
    }
    if (op != writing_) {
        return true;
    }
    writing_.reset();
    if (!outcome) {
        log_.error("raft.disk.reserve_missing",
                   {{"why", to_string(outcome.error())}, {"bytes", std::uint64_t{bytes()}}});
        wish_ = true;
        timers_.arm(timer_, options_.interval);
        return true;
    }
    ++pieces_;
    if (pieces_ < wanted_) {
        write_piece();
    } else if (std::exchange(given_up_, false)) {
        log_.info("raft.disk.reserve_restored", {{"bytes", std::uint64_t{bytes()}}});
    }
    return true;
}

void SpaceReserve::on_timer(bool may_write) {
    if (pieces_ >= wanted_ || writing_) {
        return;
    }
    if (may_write) {
        write_piece();
    } else {
        timers_.arm(timer_, options_.interval);
    }
}

bool SpaceReserve::take_wish() {
    return std::exchange(wish_, false);
}

void SpaceReserve::write_metrics(MetricsWriter& writer) const {
    writer.gauge("muster_raft_reserve_bytes",
                 "Space kept on the disk for the case that it is full; 0: it is needed now",
                 static_cast<std::int64_t>(bytes()));
    writer.counter("muster_raft_reserve_given_up_total",
                   "Times the reserved space was needed because a write failed",
                   times_given_up_.value());
}

}  // namespace muster::raft
