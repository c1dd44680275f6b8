#include "runtime/loop/loop.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <string>
#include <utility>

#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include "base/check.h"

namespace muster::runtime {
namespace {

constexpr std::size_t kEventsPerTurn = 256;

// Which loop this thread runs: its own posts need neither lock nor wake-up.
thread_local const Loop* running_loop = nullptr;

std::unexpected<Error> system_error(std::string_view what) {
    return fail(Errc::io_error, std::string(what) + ": " + std::strerror(errno));
}

std::uint32_t epoll_events_of(Interest interest) {
    switch (interest) {
        case Interest::none: return 0;
        case Interest::read: return EPOLLIN;
        case Interest::write: return EPOLLOUT;
        case Interest::read_write: return EPOLLIN | EPOLLOUT;
    }
    return 0;
}

timespec to_timespec(Duration duration) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
    return timespec{.tv_sec = seconds.count(), .tv_nsec = (duration - seconds).count()};
}

}  // namespace

class Loop::WakeHandler final : public FdHandler {
public:
    explicit WakeHandler(Loop& loop) : loop_(loop) {}

    void on_fd(std::uint64_t /*cookie*/, Readiness /*ready*/) override {
        std::uint64_t count = 0;
        [[maybe_unused]] const auto size = ::read(loop_.wake_.raw(), &count, sizeof count);
        loop_.remote_waiting_ = true;
    }

private:
    Loop& loop_;
};

class Loop::SignalHandler final : public FdHandler {
public:
    SignalHandler(Fd fd, std::move_only_function<void(int)> handler)
        : fd_(std::move(fd)), handler_(std::move(handler)) {}

    void on_fd(std::uint64_t /*cookie*/, Readiness /*ready*/) override {
        signalfd_siginfo info{};
        if (::read(fd_.raw(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
            handler_(static_cast<int>(info.ssi_signo));
        }
    }

private:
    Fd fd_;
    std::move_only_function<void(int)> handler_;
};

LoopTimers::~LoopTimers() {
    for (const auto& [key, slot] : armed_) {
        loop_->timers_.remove(slot);
    }
}

void LoopTimers::arm(env::TimerKey key, Duration delay) {
    const MonoTime deadline = loop_->mono() + std::max(delay, Duration::zero());
    const auto [at, is_new] = armed_.try_emplace(key);
    if (is_new) {
        at->second = loop_->timers_.add(deadline, *this, key);
    } else {
        loop_->timers_.move(at->second, deadline);
    }
}

void LoopTimers::cancel(env::TimerKey key) {
    if (const auto at = armed_.find(key); at != armed_.end()) {
        loop_->timers_.remove(at->second);
        armed_.erase(at);
    }
}

void LoopTimers::fire(env::TimerKey key) {
    armed_.erase(key);
    CHECK_BECAUSE(target_ != nullptr, "timers need bind() before the loop runs");
    target_->on_timer(key);
}

Result<std::unique_ptr<Loop>> Loop::create() {
    Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll.valid()) {
        return system_error("epoll_create1");
    }
    Fd wake(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!wake.valid()) {
        return system_error("eventfd");
    }
    std::unique_ptr<Loop> loop(new Loop(std::move(epoll), std::move(wake)));
    auto watched = loop->watch(loop->wake_.raw(), Interest::read, *loop->wake_handler_, 0);
    if (!watched) {
        return std::unexpected(std::move(watched).error());
    }
    return loop;
}

Loop::Loop(Fd epoll, Fd wake)
    : epoll_(std::move(epoll)),
      wake_(std::move(wake)),
      wake_handler_(std::make_unique<WakeHandler>(*this)) {}

Loop::~Loop() = default;

MonoTime Loop::mono() const {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return MonoTime(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

WallTime Loop::wall() const {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return WallTime{.unix_ms = now.tv_sec * 1000 + now.tv_nsec / 1'000'000};
}

std::int64_t Loop::wall_us() const {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1'000'000 + now.tv_nsec / 1000;
}

void Loop::post(PostedFunction function) {
    if (running_loop == this) {
        posted_.push_back(std::move(function));
        return;
    }
    bool first = false;
    {
        const std::lock_guard lock(remote_mutex_);
        first = remote_.empty();
        remote_.push_back(std::move(function));
    }
    if (first) {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto size = ::write(wake_.raw(), &one, sizeof one);
    }
}

void Loop::stop() {
    stop_requested_.store(true);
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto size = ::write(wake_.raw(), &one, sizeof one);
}

void Loop::run() {
    CHECK_BECAUSE(running_loop == nullptr, "one loop a thread, not nested");
    running_loop = this;
    std::array<epoll_event, kEventsPerTurn> events{};
    while (!stop_requested_.load()) {
        const int count = wait(events);
        const MonoTime begin = mono();
        dispatch({events.data(), static_cast<std::size_t>(std::max(count, 0))});
        run_posted();
        fire_timers();
        end_turn();
        turns_.add();
        turn_time_.record(mono() - begin);
    }
    stop_requested_.store(false);
    running_loop = nullptr;
}

int Loop::wait(std::span<epoll_event> events) {
    Duration timeout{-1};
    if (!posted_.empty() || remote_waiting_ || !at_turn_end_.empty()) {
        timeout = Duration::zero();
    } else if (const auto earliest = timers_.earliest()) {
        timeout = std::max(*earliest - mono(), Duration::zero());
    }
    const int max = static_cast<int>(events.size());
    // Plain epoll_wait knows milliseconds only: it would fire timers up to one too late.
    if (timeout <= Duration::zero()) {
        return ::epoll_wait(epoll_.raw(), events.data(), max, timeout < Duration::zero() ? -1 : 0);
    }
    const timespec spec = to_timespec(timeout);
    const int count = ::epoll_pwait2(epoll_.raw(), events.data(), max, &spec, nullptr);
    if (count >= 0 || errno != ENOSYS) {
        return count;
    }
    constexpr Duration kLongest = std::chrono::hours(1);
    const auto ms = to_ms(std::min(timeout, kLongest) + std::chrono::microseconds(999));
    return ::epoll_wait(epoll_.raw(), events.data(), max, static_cast<int>(ms));
}

void Loop::dispatch(std::span<const epoll_event> events) {
    for (const epoll_event& event : events) {
        const Watch* watch = find(WatchId(event.data.u64));
        if (watch == nullptr) {
            continue;  // an earlier handler of this turn let go of it
        }
        watch->handler->on_fd(watch->cookie,
                              Readiness{.readable = (event.events & EPOLLIN) != 0,
                                        .writable = (event.events & EPOLLOUT) != 0,
                                        .broken = (event.events & (EPOLLERR | EPOLLHUP)) != 0});
    }
}

void Loop::take_remote() {
    remote_waiting_ = false;
    std::vector<PostedFunction> taken;
    {
        const std::lock_guard lock(remote_mutex_);
        taken.swap(remote_);
    }
    running_.insert(running_.end(), std::make_move_iterator(taken.begin()),
                    std::make_move_iterator(taken.end()));
}

void Loop::run_posted() {
    if (remote_waiting_) {
        take_remote();
    }
    if (running_.empty()) {
        running_.swap(posted_);
    } else {
        running_.insert(running_.end(), std::make_move_iterator(posted_.begin()),
                        std::make_move_iterator(posted_.end()));
        posted_.clear();
    }
    for (PostedFunction& function : running_) {
        function();
    }
    posted_count_.add(running_.size());
    running_.clear();
}

void Loop::fire_timers() {
    if (timers_.size() == 0) {
        return;
    }
    const MonoTime now = mono();
    const std::uint64_t before = timers_.next_seq();
    while (const auto due = timers_.take_due(now, before)) {
        due->owner->fire(due->key);
    }
}

void Loop::end_turn() {
    // What one of them puts off is of the next turn.
    std::vector<PostedFunction> ending;
    ending.swap(at_turn_end_);
    for (PostedFunction& function : ending) {
        function();
    }
}

Result<void> Loop::on_signals(std::span<const int> signals,
                              std::move_only_function<void(int)> handler) {
    CHECK_BECAUSE(signal_handler_ == nullptr, "signals are handled once");
    sigset_t set{};
    sigemptyset(&set);
    for (const int signal : signals) {
        sigaddset(&set, signal);
    }
    if (::pthread_sigmask(SIG_BLOCK, &set, nullptr) != 0) {
        return system_error("pthread_sigmask");
    }
    Fd fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
    if (!fd.valid()) {
        return system_error("signalfd");
    }
    const int raw = fd.raw();
    signal_handler_ = std::make_unique<SignalHandler>(std::move(fd), std::move(handler));
    auto watched = watch(raw, Interest::read, *signal_handler_, 0);
    if (!watched) {
        return std::unexpected(std::move(watched).error());
    }
    return {};
}

Loop::Watch* Loop::find(WatchId id) {
    const auto index = static_cast<std::uint32_t>(id.raw());
    if (index >= watches_.size()) {
        return nullptr;
    }
    Watch& watch = watches_[index];
    const bool current = watch.handler != nullptr && watch.generation == id.raw() >> 32U;
    return current ? &watch : nullptr;
}

Result<WatchId> Loop::watch(int fd, Interest interest, FdHandler& handler, std::uint64_t cookie) {
    std::uint32_t index = 0;
    if (free_watches_.empty()) {
        index = static_cast<std::uint32_t>(watches_.size());
        watches_.emplace_back();
    } else {
        index = free_watches_.back();
        free_watches_.pop_back();
    }
    Watch& watch = watches_[index];
    const WatchId id((std::uint64_t{watch.generation} << 32U) | index);
    epoll_event event{.events = epoll_events_of(interest), .data = {.u64 = id.raw()}};
    if (::epoll_ctl(epoll_.raw(), EPOLL_CTL_ADD, fd, &event) != 0) {
        free_watches_.push_back(index);
        return system_error("epoll_ctl");
    }
    watch.handler = &handler;
    watch.cookie = cookie;
    watch.fd = fd;
    return id;
}

void Loop::set_interest(WatchId id, Interest interest) {
    const Watch* watch = find(id);
    CHECK(watch != nullptr);
    epoll_event event{.events = epoll_events_of(interest), .data = {.u64 = id.raw()}};
    CHECK(::epoll_ctl(epoll_.raw(), EPOLL_CTL_MOD, watch->fd, &event) == 0);
}

void Loop::unwatch(WatchId id) {
    Watch* watch = find(id);
    CHECK(watch != nullptr);
    ::epoll_ctl(epoll_.raw(), EPOLL_CTL_DEL, watch->fd, nullptr);
    watch->handler = nullptr;
    watch->fd = -1;
    ++watch->generation;
    free_watches_.push_back(static_cast<std::uint32_t>(id.raw()));
}

void Loop::write_metrics(MetricsWriter& writer) const {
    writer.counter("muster_loop_turns_total", "Turns of the event loop.", turns_.value());
    writer.counter("muster_loop_posted_total", "Functions posted to the event loop.",
                   posted_count_.value());
    writer.gauge("muster_loop_timers", "Armed timers.", static_cast<std::int64_t>(timers_.size()));
    writer.gauge("muster_loop_descriptors", "Watched file descriptors.",
                 static_cast<std::int64_t>(watches_.size() - free_watches_.size()));
    writer.histogram("muster_loop_turn_seconds",
                     "How long the handlers of one turn took: what an event may wait.", turn_time_);
}

}  // namespace muster::runtime
