#pragma once

#include <cstddef>
#include <map>

#include "env/clock.h"
#include "env/timers.h"

namespace muster::env {

// Time that a test moves by hand.
class ManualClock final : public Clock {
public:
    [[nodiscard]] MonoTime mono() const override;
    [[nodiscard]] WallTime wall() const override;
    [[nodiscard]] std::int64_t wall_us() const override;

    // Both clocks go forward.
    void advance(Duration by);

    // The wall clock jumps, either way.
    void set_wall(WallTime wall);

private:
    MonoTime mono_{std::chrono::seconds(1)};
    Duration wall_{std::chrono::hours(24 * 365 * 50)};
};

// One target's timers on a ManualClock; they fire only from fire_due().
class ManualTimers final : public Timers {
public:
    explicit ManualTimers(const ManualClock& clock) : clock_(clock) {}

    // Requires: called before the first timer is due.
    void attach(TimerTarget& target);

    void arm(TimerKey key, Duration delay) override;
    void cancel(TimerKey key) override;

    // Fires what is due, earliest first, each timer at most once. Returns how many.
    std::size_t fire_due();

    [[nodiscard]] bool armed(TimerKey key) const;

private:
    const ManualClock& clock_;
    TimerTarget* target_ = nullptr;
    std::map<TimerKey, MonoTime> due_;
};

}  // namespace muster::env
