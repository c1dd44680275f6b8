#pragma once

#include "base/time.h"

namespace muster::env {

// The only source of time. Runtime: the machine's clocks, read once per event; simulator: virtual
// time with per-node jumps of the wall clock. Loop thread only.
class Clock {
public:
    virtual ~Clock() = default;

    [[nodiscard]] virtual MonoTime mono() const = 0;
    [[nodiscard]] virtual WallTime wall() const = 0;
};

}  // namespace muster::env
