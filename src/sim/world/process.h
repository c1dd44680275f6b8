#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/prng.h"
#include "base/time.h"
#include "env/clock.h"
#include "env/timers.h"
#include "sim/world/scheduler.h"
#include "sim/world/trace.h"

namespace muster::sim {

// A machine's clocks: virtual time, and a wall clock that may be set.
class HostClock final : public env::Clock {
public:
    explicit HostClock(const Scheduler& scheduler) : scheduler_(scheduler) {}

    [[nodiscard]] MonoTime mono() const override {
        return scheduler_.now();
    }
    [[nodiscard]] WallTime wall() const override {
        return {kWallBaseMs + to_ms(scheduler_.now().time_since_epoch()) + to_ms(offset_)};
    }
    [[nodiscard]] std::int64_t wall_us() const override {
        return kWallBaseMs * 1000 + to_us(scheduler_.now().time_since_epoch() + offset_);
    }
    // The wall clock is moved by so much, either way.
    void jump(Duration by) {
        offset_ += by;
    }
    void set_right() {
        offset_ = {};
    }
    [[nodiscard]] Duration offset() const {
        return offset_;
    }

private:
    static constexpr std::int64_t kWallBaseMs = 1'790'000'000'000;

    const Scheduler& scheduler_;
    Duration offset_{};
};

// Where an event comes from: events of one channel keep their order, also over a pause.
using Channel = std::uint64_t;
inline constexpr Channel kTimerChannel = 1;
inline constexpr Channel kBusChannel = 2;
inline constexpr Channel kDiskChannel = 3;
inline constexpr Channel kListenChannel = 5;  // goes first: what was not accepted cannot be read

// One operating system process: events reach it while it runs, wait while it is paused (SIGSTOP)
// and are lost while it is dead. What waited is handled at once at its end, the channels in a
// random order, as an event loop may find its sockets.
//
//   dead --start--> running --pause--> paused
//     ^                |  ^---------------|
//     +------kill------+------kill--------+
class Process {
public:
    Process(Scheduler& scheduler, Trace& trace, Prng prng, std::string name)
        : scheduler_(scheduler),
          trace_(trace),
          prng_(prng),
          name_(std::move(name)),
          clock_(scheduler) {}
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    // Begins a new life. Requires: dead.
    void start();
    void kill();
    void pause(Duration how_long);

    // Handled after `delay` by this life, if it lasts.
    void post(Duration delay, Channel channel, Scheduler::Event event);
    // Handled at `when` by whichever life runs then.
    void deliver(MonoTime when, Channel channel, Scheduler::Event event);

    [[nodiscard]] bool alive() const {
        return alive_;
    }
    [[nodiscard]] bool paused() const {
        return paused_;
    }
    [[nodiscard]] std::uint64_t life() const {
        return life_;
    }
    [[nodiscard]] const std::string& name() const {
        return name_;
    }
    [[nodiscard]] HostClock& clock() {
        return clock_;
    }
    [[nodiscard]] MonoTime started() const {
        return started_;
    }
    // When this life last went on after a pause that a role can tell from a slow moment.
    [[nodiscard]] std::optional<MonoTime> resumed() const {
        return resumed_;
    }
    // Time this life ran, without the pauses that a role can tell from a slow moment.
    [[nodiscard]] Duration ran() const;
    [[nodiscard]] Scheduler& scheduler() {
        return scheduler_;
    }
    void note(std::string_view what) {
        trace_.note(scheduler_.now(), name_, what);
    }

private:
    struct Waiting {
        Channel channel = 0;
        Scheduler::Event event;
    };

    void take(Channel channel, Scheduler::Event event);
    void resume();

    Scheduler& scheduler_;
    Trace& trace_;
    Prng prng_;
    std::string name_;
    HostClock clock_;
    bool alive_ = false;
    bool paused_ = false;
    std::uint64_t life_ = 0;
    std::uint64_t pause_ = 0;
    MonoTime started_;
    MonoTime paused_at_;
    static constexpr Duration kPauseNoticed = std::chrono::seconds(2);

    std::optional<MonoTime> resumed_;
    Duration stood_{};
    std::vector<Waiting> waiting_;
};

// The timers of one role in one life of a process.
class ProcessTimers final : public env::Timers {
public:
    explicit ProcessTimers(Process& process) : process_(process) {}

    void attach(env::TimerTarget& target) {
        target_ = &target;
    }
    void arm(env::TimerKey key, Duration delay) override;
    void cancel(env::TimerKey key) override;

private:
    Process& process_;
    env::TimerTarget* target_ = nullptr;
    std::map<env::TimerKey, std::uint64_t> armed_;
    std::uint64_t last_ = 0;
};

}  // namespace muster::sim
