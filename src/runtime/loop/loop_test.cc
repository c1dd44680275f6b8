#include "runtime/loop/loop.h"

#include <csignal>
#include <map>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include "base/prng.h"

namespace muster::runtime {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

std::unique_ptr<Loop> make_loop() {
    auto loop = Loop::create();
    EXPECT_TRUE(loop.has_value());
    return std::move(loop).value();
}

class Recorder final : public env::TimerTarget {
public:
    std::function<void(env::TimerKey)> then;
    std::vector<std::uint64_t> fired;

    void on_timer(env::TimerKey key) override {
        fired.push_back(key.raw());
        if (then) {
            then(key);
        }
    }
};

TEST(Loop, FiresTimersInTheOrderOfTheirDeadlines) {
    const auto loop = make_loop();
    LoopTimers timers(*loop);
    Recorder recorder;
    timers.bind(recorder);
    recorder.then = [&](env::TimerKey key) {
        if (key.raw() == 30) {
            loop->stop();
        }
    };
    timers.arm(env::TimerKey(30), milliseconds(30));
    timers.arm(env::TimerKey(1), milliseconds(0));
    timers.arm(env::TimerKey(2), milliseconds(-5));
    timers.arm(env::TimerKey(20), milliseconds(20));
    timers.arm(env::TimerKey(10), milliseconds(10));
    loop->run();
    EXPECT_THAT(recorder.fired, ElementsAre(1, 2, 10, 20, 30));
}

TEST(Loop, NeverFiresATimerEarly) {
    const auto loop = make_loop();
    LoopTimers timers(*loop);
    Recorder recorder;
    timers.bind(recorder);
    recorder.then = [&](env::TimerKey) { loop->stop(); };
    const MonoTime begin = loop->mono();
    timers.arm(env::TimerKey(1), std::chrono::microseconds(2500));
    loop->run();
    EXPECT_GE(loop->mono() - begin, std::chrono::microseconds(2500));
}

TEST(Loop, MovesAnArmedTimerAndForgetsACancelledOne) {
    const auto loop = make_loop();
    LoopTimers timers(*loop);
    Recorder recorder;
    timers.bind(recorder);
    recorder.then = [&](env::TimerKey key) {
        if (key.raw() == 3) {
            loop->stop();
        }
    };
    timers.arm(env::TimerKey(1), milliseconds(1));
    timers.arm(env::TimerKey(2), milliseconds(2));
    timers.arm(env::TimerKey(3), milliseconds(20));
    timers.arm(env::TimerKey(1), milliseconds(10));
    timers.cancel(env::TimerKey(2));
    timers.cancel(env::TimerKey(77));
    loop->run();
    EXPECT_THAT(recorder.fired, ElementsAre(1, 3));
}

TEST(Loop, FiresATimerArmedByATimerInALaterTurnSoThatOthersGetTheirs) {
    const auto loop = make_loop();
    LoopTimers timers(*loop);
    Recorder recorder;
    timers.bind(recorder);
    bool posted_ran = false;
    recorder.then = [&](env::TimerKey key) {
        if (!posted_ran) {
            timers.arm(key, Duration::zero());  // would starve the post if it ran in the same turn
        } else {
            loop->stop();
        }
    };
    timers.arm(env::TimerKey(1), Duration::zero());
    timers.arm(env::TimerKey(2), Duration::zero());
    recorder.fired.reserve(64);
    LoopTimers poster_timers(*loop);
    Recorder poster;
    poster_timers.bind(poster);
    poster.then = [&](env::TimerKey) { loop->post([&] { posted_ran = true; }); };
    poster_timers.arm(env::TimerKey(3), Duration::zero());
    loop->run();
    EXPECT_TRUE(posted_ran);
    EXPECT_LT(recorder.fired.size(), 8U);
}

TEST(Loop, DropsTheTimersOfATargetThatIsGone) {
    const auto loop = make_loop();
    Recorder gone;
    {
        LoopTimers timers(*loop);
        timers.bind(gone);
        for (std::uint64_t key = 0; key < 100; ++key) {
            timers.arm(env::TimerKey(key), Duration::zero());
        }
    }
    LoopTimers timers(*loop);
    Recorder last;
    timers.bind(last);
    last.then = [&](env::TimerKey) { loop->stop(); };
    timers.arm(env::TimerKey(1), milliseconds(2));
    loop->run();
    EXPECT_TRUE(gone.fired.empty());
}

TEST(Loop, RunsWhatOtherThreadsPostInTheirOrder) {
    const auto loop = make_loop();
    constexpr int kThreads = 4;
    constexpr int kEach = 5000;
    std::map<int, int> last;
    int total = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 1; i <= kEach; ++i) {
                loop->post([&, t, i] {
                    EXPECT_EQ(last[t], i - 1);
                    last[t] = i;
                    if (++total == kThreads * kEach) {
                        loop->stop();
                    }
                });
            }
        });
    }
    loop->run();
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(total, kThreads * kEach);
}

TEST(Loop, RunsWhatAHandlerPostsAfterTheHandler) {
    const auto loop = make_loop();
    std::vector<int> order;
    loop->post([&] {
        loop->post([&] {
            order.push_back(2);
            loop->stop();
        });
        order.push_back(1);
    });
    loop->run();
    EXPECT_THAT(order, ElementsAre(1, 2));
}

TEST(Loop, RunsWhatIsPutOffToTheEndOfATurnAfterAllElseOfIt) {
    const auto loop = std::move(*Loop::create());
    std::vector<int> order;
    loop->post([&] {
        loop->at_turn_end([&] {
            order.push_back(2);
            loop->at_turn_end([&] {
                order.push_back(4);
                loop->stop();
            });
            loop->post([&] { order.push_back(3); });
        });
        order.push_back(0);
    });
    loop->post([&] { order.push_back(1); });
    loop->run();
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(Loop, StopsFromAnotherThreadAndRunsAgain) {
    const auto loop = make_loop();
    for (int round = 0; round < 3; ++round) {
        std::thread stopper([&] { loop->stop(); });
        loop->run();
        stopper.join();
    }
}

TEST(Loop, TellsSignals) {
    const auto loop = make_loop();
    int seen = 0;
    const std::array<int, 1> signals{SIGUSR1};
    ASSERT_TRUE(loop->on_signals(signals, [&](int signal) {
        seen = signal;
        loop->stop();
    }));
    ::raise(SIGUSR1);
    loop->run();
    EXPECT_EQ(seen, SIGUSR1);
}

class Unwatcher final : public FdHandler {
public:
    std::function<void(std::uint64_t)> then;
    int calls = 0;

    void on_fd(std::uint64_t cookie, Readiness ready) override {
        EXPECT_TRUE(ready.readable);
        ++calls;
        then(cookie);
    }
};

TEST(Loop, NeverCallsAHandlerAfterUnwatchEvenWithinOneTurn) {
    const auto loop = make_loop();
    const Fd a(::eventfd(1, EFD_NONBLOCK));
    const Fd b(::eventfd(1, EFD_NONBLOCK));
    Unwatcher handler;
    std::vector<WatchId> watches;
    for (const int fd : {a.raw(), b.raw()}) {
        auto watch = loop->watch(fd, Interest::read, handler, watches.size());
        ASSERT_TRUE(watch.has_value());
        watches.push_back(*watch);
    }
    handler.then = [&](std::uint64_t) {
        for (const WatchId watch : watches) {
            loop->unwatch(watch);
        }
        loop->stop();
    };
    loop->run();
    EXPECT_EQ(handler.calls, 1);
}

TEST(Loop, ReportsADescriptorThatCannotBeWatched) {
    const auto loop = make_loop();
    Unwatcher handler;
    const auto watch = loop->watch(-1, Interest::read, handler, 0);
    ASSERT_FALSE(watch.has_value());
    EXPECT_EQ(watch.error().code, Errc::io_error);
}

TEST(TimerHeap, AgreesWithASortedReferenceUnderRandomOperations) {
    const auto loop = make_loop();
    LoopTimers owner(*loop);
    TimerHeap heap;
    Prng prng(7);
    std::map<std::pair<MonoTime, std::uint64_t>, std::uint64_t> reference;  // (time, seq) -> key
    std::map<std::uint64_t, std::pair<TimerHeap::Slot, std::pair<MonoTime, std::uint64_t>>> armed;
    for (std::uint64_t step = 0; step < 50'000; ++step) {
        const std::uint64_t key = prng.below(500);
        const MonoTime deadline{Duration(prng.below(1000))};
        const auto at = armed.find(key);
        const std::pair place{deadline, heap.next_seq()};
        if (at == armed.end()) {
            armed[key] = {heap.add(deadline, owner, env::TimerKey(key)), place};
            reference[place] = key;
        } else {
            reference.erase(at->second.second);
            if (prng.chance(1, 2)) {
                heap.move(at->second.first, deadline);
                at->second.second = place;
                reference[place] = key;
            } else {
                heap.remove(at->second.first);
                armed.erase(at);
            }
        }
        ASSERT_EQ(heap.size(), reference.size());
        if (!reference.empty()) {
            ASSERT_EQ(heap.earliest(), reference.begin()->first.first);
            if (prng.chance(1, 3)) {
                const auto due = heap.take_due(MonoTime(Duration(1000)), heap.next_seq());
                ASSERT_TRUE(due.has_value());
                ASSERT_EQ(due->key.raw(), reference.begin()->second);
                armed.erase(due->key.raw());
                reference.erase(reference.begin());
            }
        }
    }
}

}  // namespace
}  // namespace muster::runtime
