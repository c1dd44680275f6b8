#pragma once

#include <cstdint>

#include "base/time.h"

namespace muster::env {

// The only source of time. Runtime: the machine's clocks, read once per event; simulator: virtual
// time with per-node jumps of the wall clock. Loop thread only.
class Clock {
public:
    virtual ~Clock() = default;

    [[nodiscard]] virtual MonoTime mono() const = 0;
    [[nodiscard]] virtual WallTime wall() const = 0;
    // The wall clock in microseconds since 1970, as fine as it is.
    [[nodiscard]] virtual std::int64_t wall_us() const {
        constexpr std::int64_t kUsPerMs = 1000;
        return wall().unix_ms * kUsPerMs;
    }
};

}  // namespace muster::env
