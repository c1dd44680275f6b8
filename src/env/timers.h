#pragma once

#include <cstdint>

#include "base/id.h"
#include "base/time.h"

namespace muster::env {

// Names one timer of one target; the target chooses the numbers.
using TimerKey = Id<struct TimerKeyTag, std::uint64_t>;

// Who is called when a timer fires. Never from within arm() or cancel().
class TimerTarget {
public:
    virtual ~TimerTarget() = default;
    virtual void on_timer(TimerKey key) = 0;
};

// One target's one-shot timers: numbers instead of captured code, so that they can be listed,
// replayed and dropped with their owner. Loop thread only.
class Timers {
public:
    virtual ~Timers() = default;

    // Fires once after `delay` (at the next turn of the loop when zero or less). An armed timer of
    // the same key is moved.
    virtual void arm(TimerKey key, Duration delay) = 0;

    // No effect when `key` is not armed.
    virtual void cancel(TimerKey key) = 0;
};

}  // namespace muster::env
