#include "base/metrics.h"

#include <bit>

namespace muster {
namespace {

constexpr auto kLatencyBoundsUs = [] {
    std::array<std::uint64_t, LatencyHistogram::kBuckets> bounds{};
    for (std::size_t i = 0; i < bounds.size(); ++i) {
        bounds.at(i) = LatencyHistogram::bound_us(i);
    }
    return bounds;
}();

}  // namespace

void LatencyHistogram::record(Duration duration) {
    const std::int64_t signed_us = to_us(duration);
    const std::uint64_t us = signed_us > 0 ? static_cast<std::uint64_t>(signed_us) : 0;
    const auto bucket = us <= 1 ? std::size_t{0} : static_cast<std::size_t>(std::bit_width(us - 1));
    ++counts_[bucket < kBuckets ? bucket : kBuckets];
    ++count_;
    sum_us_ += us;
}

LatencyHistogram::operator HistogramView() const {
    return {.bounds_us = kLatencyBoundsUs, .counts = counts_, .count = count_, .sum_us = sum_us_};
}

}  // namespace muster
