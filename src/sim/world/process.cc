#include "sim/world/process.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"

namespace muster::sim {

void Process::start() {
    CHECK(!alive_);
    alive_ = true;
    paused_ = false;
    started_ = scheduler_.now();
    stood_ = {};
    resumed_.reset();
    ++life_;
    note(fmt::format("starts, life {}", life_));
}

void Process::kill() {
    if (!alive_) {
        return;
    }
    note("is killed");
    alive_ = false;
    paused_ = false;
    ++pause_;
    waiting_.clear();
}

void Process::pause(Duration how_long) {
    if (!alive_ || paused_) {
        return;
    }
    note(fmt::format("stands still for {} ms", to_ms(how_long)));
    paused_ = true;
    paused_at_ = scheduler_.now();
    scheduler_.after(how_long, [this, number = ++pause_] {
        if (number == pause_) {
            resume();
        }
    });
}

Duration Process::ran() const {
    const Duration still = paused_ ? scheduler_.now() - paused_at_ : Duration{};
    return scheduler_.now() - started_ - stood_ - still;
}

void Process::resume() {
    note("goes on");
    paused_ = false;
    if (const Duration stood = scheduler_.now() - paused_at_; stood >= kPauseNoticed) {
        stood_ += stood;
        resumed_ = scheduler_.now();
    }
    std::vector<Channel> order;
    for (const Waiting& waiting : waiting_) {
        if (std::ranges::find(order, waiting.channel) == order.end()) {
            order.push_back(waiting.channel);
        }
    }
    for (std::size_t i = order.size(); i > 1; --i) {
        std::swap(order[i - 1], order[prng_.below(i)]);
    }
    std::ranges::stable_partition(order, [](Channel channel) { return channel == kListenChannel; });
    auto waiting = std::exchange(waiting_, {});
    for (const Channel channel : order) {
        for (Waiting& item : waiting) {
            if (item.channel == channel) {
                item.event();
            }
        }
    }
}

void Process::take(Channel channel, Scheduler::Event event) {
    if (!alive_) {
        return;
    }
    if (paused_) {
        waiting_.push_back({channel, std::move(event)});
        return;
    }
    event();
}

void Process::post(Duration delay, Channel channel, Scheduler::Event event) {
    scheduler_.after(delay, [this, channel, life = life_, event = std::move(event)]() mutable {
        if (life == life_) {
            take(channel, std::move(event));
        }
    });
}

void Process::deliver(MonoTime when, Channel channel, Scheduler::Event event) {
    scheduler_.at(when, [this, channel, event = std::move(event)]() mutable {
        take(channel, std::move(event));
    });
}

void ProcessTimers::arm(env::TimerKey key, Duration delay) {
    const std::uint64_t number = ++last_;
    armed_[key] = number;
    process_.post(std::max(delay, Duration{}), kTimerChannel, [this, key, number] {
        const auto armed = armed_.find(key);
        if (armed != armed_.end() && armed->second == number) {
            armed_.erase(armed);
            target_->on_timer(key);
        }
    });
}

void ProcessTimers::cancel(env::TimerKey key) {
    armed_.erase(key);
}

}  // namespace muster::sim
