#include "apps/load/latencies.h"

#include <algorithm>
#include <bit>

namespace muster::load {

// Below kSteps each nanosecond has a bucket; above, each octave is cut into kSteps of them.
std::size_t Latencies::bucket_of(std::uint64_t ns) {
    if (ns < kSteps) {
        return ns;
    }
    const unsigned octave = static_cast<unsigned>(std::bit_width(ns)) - kStepBits;  // from 1
    if (octave > kOctaves) {
        return kSteps * (kOctaves + 1) - 1;
    }
    return kSteps * octave + ((ns >> (octave - 1)) - kSteps);
}

std::uint64_t Latencies::end_of(std::size_t bucket) {
    const std::size_t octave = bucket / kSteps;
    if (octave == 0) {
        return bucket;
    }
    return ((kSteps + bucket % kSteps + 1) << (octave - 1)) - 1;
}

void Latencies::add(Duration took, std::uint64_t times) {
    const Duration at_least_zero = std::max(took, Duration::zero());
    counts_[bucket_of(static_cast<std::uint64_t>(at_least_zero.count()))] += times;
    count_ += times;
    if (times > 0) {
        max_ = std::max(max_, at_least_zero);
    }
}

void Latencies::add(const Latencies& others) {
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        counts_[i] += others.counts_[i];
    }
    count_ += others.count_;
    max_ = std::max(max_, others.max_);
}

Duration Latencies::at_most(std::uint64_t rank) const {
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        seen += counts_[i];
        if (seen >= rank) {
            return std::min(Duration(static_cast<std::int64_t>(end_of(i))), max_);
        }
    }
    return max_;
}

Quantiles Latencies::quantiles() const {
    // The least rank that has so many of each thousand at or below it.
    const auto per_mille = [&](std::uint64_t share) {
        return at_most(std::max<std::uint64_t>((count_ * share + 999) / 1000, 1));
    };
    if (count_ == 0) {
        return {};
    }
    return {.p50 = per_mille(500),
            .p99 = per_mille(990),
            .p999 = per_mille(999),
            .max = max_,
            .count = count_};
}

}  // namespace muster::load
