#pragma once

#include <array>
#include <cstdint>

#include "base/time.h"

namespace muster::load {

// How long things took. A mean is not to be had.
struct Quantiles {
    Duration p50{};
    Duration p99{};
    Duration p999{};
    Duration max{};
    std::uint64_t count = 0;
};

// Counts durations in buckets that are at most 1/64 wider than they are long, so that any number of
// them takes 20 KiB. A quantile is never told shorter than it was, and at most 1/64 longer; the
// maximum is exact. Below zero counts as zero.
class Latencies {
public:
    void add(Duration took, std::uint64_t times = 1);
    void add(const Latencies& others);

    [[nodiscard]] std::uint64_t count() const {
        return count_;
    }
    // All zero when nothing was counted.
    [[nodiscard]] Quantiles quantiles() const;

private:
    static constexpr unsigned kStepBits = 6;
    static constexpr std::uint64_t kSteps = 1U << kStepBits;
    static constexpr unsigned kOctaves = 36;  // up to some 70 minutes; longer counts there

    [[nodiscard]] static std::size_t bucket_of(std::uint64_t ns);
    [[nodiscard]] static std::uint64_t end_of(std::size_t bucket);
    // What the first `rank` of them are at most at.
    [[nodiscard]] Duration at_most(std::uint64_t rank) const;

    std::array<std::uint64_t, kSteps*(kOctaves + 1)> counts_{};
    std::uint64_t count_ = 0;
    Duration max_{};
};

}  // namespace muster::load
