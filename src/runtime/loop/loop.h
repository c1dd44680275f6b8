#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include <sys/epoll.h>

#include "base/id.h"
#include "base/metrics.h"
#include "base/result.h"
#include "env/clock.h"
#include "env/timers.h"
#include "runtime/loop/fd.h"
#include "runtime/loop/timer_heap.h"

namespace muster::runtime {

// What a watched descriptor is waited for. Breakage is told always.
enum class Interest : std::uint8_t { none = 0, read = 1, write = 2, read_write = 3 };

struct Readiness {
    bool readable = false;
    bool writable = false;
    bool broken = false;  // error or hang-up; a read or write tells which
};

class FdHandler {
public:
    virtual ~FdHandler() = default;

    // Level-triggered: told again on the next turn while the state lasts. `cookie` is what watch()
    // was given.
    virtual void on_fd(std::uint64_t cookie, Readiness ready) = 0;
};

using WatchId = Id<struct WatchIdTag, std::uint64_t>;
using PostedFunction = std::move_only_function<void()>;

class Loop;

// env::Timers on a Loop. Made before its target, because a role takes its Timers when it is
// constructed: bind() must happen before the first timer fires. What is armed goes with it.
class LoopTimers final : public env::Timers {
public:
    explicit LoopTimers(Loop& loop) : loop_(&loop) {}
    ~LoopTimers() override;
    LoopTimers(const LoopTimers&) = delete;
    LoopTimers& operator=(const LoopTimers&) = delete;

    void bind(env::TimerTarget& target) {
        target_ = &target;
    }
    void arm(env::TimerKey key, Duration delay) override;
    void cancel(env::TimerKey key) override;

private:
    friend class Loop;
    void fire(env::TimerKey key);

    Loop* loop_;
    env::TimerTarget* target_ = nullptr;
    std::unordered_map<env::TimerKey, TimerHeap::Slot> armed_;
};

// One thread's event loop: descriptors (epoll, level-triggered), timers, functions posted from any
// thread, signals. One turn: ready descriptors, posted functions, due timers, what was put off to
// its end; each handler runs to completion, and what it posts or arms runs after it, never within
// it.
//
// Must outlive all that was made on it. All but post() and stop() belong to the thread of run(),
// or, before run(), to the one that sets up.
class Loop final : public env::Clock {
public:
    // Errors: io_error.
    [[nodiscard]] static Result<std::unique_ptr<Loop>> create();
    ~Loop() override;
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    // CLOCK_MONOTONIC and CLOCK_REALTIME at the moment of the call. Any thread.
    [[nodiscard]] MonoTime mono() const override;
    [[nodiscard]] WallTime wall() const override;
    [[nodiscard]] std::int64_t wall_us() const override;

    // Runs `function` on the loop, functions of one thread in their order. Any thread. Not
    // bounded here: each poster bounds what it has outstanding.
    void post(PostedFunction function);

    // Runs `function` at the end of this turn, before anything is waited for; outside of run(), at
    // the end of the first one. Loop thread only.
    void at_turn_end(PostedFunction function) {
        at_turn_end_.push_back(std::move(function));
    }

    // Runs until stop(). Functions still posted then run at the next run() or never.
    void run();

    // Makes run() return after the current turn; one that has not begun yet returns at once. Any
    // thread.
    void stop();

    // Calls `handler` on the loop for each of `signals`. Blocks them in the calling thread: call it
    // before other threads start, once. Errors: io_error.
    [[nodiscard]] Result<void> on_signals(std::span<const int> signals,
                                          std::move_only_function<void(int)> handler);

    // Waits for `fd`, which stays the caller's, until unwatch(). A handler is never called after
    // unwatch(). Errors: io_error.
    [[nodiscard]] Result<WatchId> watch(int fd, Interest interest, FdHandler& handler,
                                        std::uint64_t cookie);
    void set_interest(WatchId watch, Interest interest);
    void unwatch(WatchId watch);

    void write_metrics(MetricsWriter& writer) const;

private:
    friend class LoopTimers;

    struct Watch {
        FdHandler* handler = nullptr;  // null: free
        std::uint64_t cookie = 0;
        int fd = -1;
        std::uint32_t generation = 1;
    };
    class WakeHandler;
    class SignalHandler;

    Loop(Fd epoll, Fd wake);
    [[nodiscard]] Watch* find(WatchId id);
    void take_remote();
    void run_posted();
    void fire_timers();
    void end_turn();
    [[nodiscard]] int wait(std::span<epoll_event> events);
    void dispatch(std::span<const epoll_event> events);

    Fd epoll_;
    Fd wake_;
    std::vector<Watch> watches_;
    std::vector<std::uint32_t> free_watches_;
    TimerHeap timers_;
    std::unique_ptr<WakeHandler> wake_handler_;
    std::unique_ptr<SignalHandler> signal_handler_;

    std::vector<PostedFunction> posted_;  // by the loop's own thread
    std::vector<PostedFunction> running_;
    std::vector<PostedFunction> at_turn_end_;
    bool remote_waiting_ = false;
    std::mutex remote_mutex_;
    std::vector<PostedFunction> remote_;  // guarded by remote_mutex_
    std::atomic<bool> stop_requested_{false};

    Counter turns_;
    Counter posted_count_;
    LatencyHistogram turn_time_;
};

}  // namespace muster::runtime
