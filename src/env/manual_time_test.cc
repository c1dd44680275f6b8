#include "env/manual_time.h"

#include <vector>

#include <gtest/gtest.h>

namespace muster::env {
namespace {

using std::chrono::milliseconds;

class Fired final : public TimerTarget {
public:
    void on_timer(TimerKey key) override {
        keys.push_back(key.raw());
    }
    std::vector<std::uint64_t> keys;
};

TEST(ManualTimers, FireOnceWhenDueInTheOrderOfTheirTimes) {
    ManualClock clock;
    ManualTimers timers(clock);
    Fired fired;
    timers.attach(fired);
    timers.arm(TimerKey(1), milliseconds(20));
    timers.arm(TimerKey(2), milliseconds(10));
    timers.arm(TimerKey(3), milliseconds(5));
    timers.arm(TimerKey(3), milliseconds(50));
    timers.arm(TimerKey(4), milliseconds(1));
    timers.cancel(TimerKey(4));
    EXPECT_EQ(timers.fire_due(), 0U);
    clock.advance(milliseconds(30));
    EXPECT_EQ(timers.fire_due(), 2U);
    EXPECT_EQ(fired.keys, (std::vector<std::uint64_t>{2, 1}));
    EXPECT_TRUE(timers.armed(TimerKey(3)));
    EXPECT_EQ(timers.fire_due(), 0U);
}

TEST(ManualClock, LetsTheWallJumpAlone) {
    ManualClock clock;
    const MonoTime before = clock.mono();
    clock.set_wall({.unix_ms = 5});
    EXPECT_EQ(clock.mono(), before);
    clock.advance(milliseconds(7));
    EXPECT_EQ(clock.wall().unix_ms, 12);
    EXPECT_EQ(clock.mono() - before, milliseconds(7));
}

}  // namespace
}  // namespace muster::env
