#pragma once

#include <cstdint>

#include "base/time.h"

namespace muster::cli::bench {

// When operations of an open loop are due: evenly over time, whether or not earlier ones are
// answered.
class Paced {
public:
    // Requires: a rate above zero.
    Paced(Duration begin, double per_second) : begin_(begin), step_ns_(1e9 / per_second) {}

    [[nodiscard]] Duration due(std::uint64_t number) const {
        return begin_ + std::chrono::nanoseconds(
                            static_cast<std::int64_t>(static_cast<double>(number) * step_ns_));
    }
    // Of so many, how many fall into that time; at least one.
    [[nodiscard]] std::uint64_t within(Duration time, std::uint64_t wanted) const {
        const double fitting = static_cast<double>(time.count()) / step_ns_;
        if (fitting >= static_cast<double>(wanted)) {
            return wanted;
        }
        return fitting < 1 ? 1 : static_cast<std::uint64_t>(fitting);
    }

private:
    Duration begin_;
    double step_ns_;
};

}  // namespace muster::cli::bench
