#include "env/manual_time.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"

namespace muster::env {

MonoTime ManualClock::mono() const {
    return mono_;
}

WallTime ManualClock::wall() const {
    return {.unix_ms = to_ms(wall_)};
}

std::int64_t ManualClock::wall_us() const {
    return to_us(wall_);
}

void ManualClock::advance(Duration by) {
    mono_ += by;
    wall_ += by;
}

void ManualClock::set_wall(WallTime wall) {
    wall_ = std::chrono::milliseconds(wall.unix_ms);
}

void ManualTimers::attach(TimerTarget& target) {
    target_ = &target;
}

void ManualTimers::arm(TimerKey key, Duration delay) {
    due_[key] = clock_.mono() + std::max(delay, Duration::zero());
}

void ManualTimers::cancel(TimerKey key) {
    due_.erase(key);
}

std::size_t ManualTimers::fire_due() {
    std::vector<std::pair<MonoTime, TimerKey>> due;
    for (const auto& [key, at] : due_) {
        if (at <= clock_.mono()) {
            due.emplace_back(at, key);
        }
    }
    std::sort(due.begin(), due.end());
    std::size_t fired = 0;
    for (const auto& [at, key] : due) {
        const auto still = due_.find(key);
        if (still == due_.end() || still->second != at) {
            continue;  // cancelled or moved by one that fired before
        }
        due_.erase(still);
        CHECK(target_ != nullptr);
        target_->on_timer(key);
        ++fired;
    }
    return fired;
}

bool ManualTimers::armed(TimerKey key) const {
    return due_.contains(key);
}

}  // namespace muster::env
