#include "apps/muster/bench/outage.h"

#include <algorithm>

namespace muster::cli::bench {
namespace {

void raise(std::vector<Duration>& values, std::size_t at, Duration to) {
    if (values.size() <= at) {
        values.resize(at + 1);
    }
    values[at] = std::max(values[at], to);
}

}  // namespace

std::size_t Outage::step_of(Duration at) const {
    const auto steps = std::max<std::int64_t>((at - begin_) / kStep, 0);
    return std::min(static_cast<std::size_t>(steps), kStepsMax - 1);
}

void Outage::add(Duration due, Duration at) {
    const Duration behind = at - due;
    raise(latest_, step_of(at), behind);
    raise(last_seen_, step_of(due), at);
    if (behind > longest_) {
        longest_ = behind;
        longest_at_ = at;
    }
}

Duration Outage::to_equal() const {
    const std::size_t last = step_of(longest_at_);
    std::size_t end = step_of(longest_at_ - longest_);
    while (end < last && latest_[end] < longest_ / 2) {
        ++end;
    }
    const Duration healed = begin_ + kStep * static_cast<std::int64_t>(end);
    Duration equal = healed;
    for (std::size_t step = 0; step <= end && step < last_seen_.size(); ++step) {
        equal = std::max(equal, last_seen_[step]);
    }
    return equal - healed;
}

}  // namespace muster::cli::bench
