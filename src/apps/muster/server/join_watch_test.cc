#include "apps/muster/server/join_watch.h"

#include <gtest/gtest.h>

#include "env/manual_time.h"

namespace muster::cli {
namespace {

using namespace std::chrono_literals;

class JoinWatchTest : public testing::Test, public LogSink {
protected:
    JoinWatchTest() {
        timers.attach(watch);
        watch.start();
    }
    void write(LogLevel /*level*/, std::string_view event,
               std::initializer_list<LogField> fields) override {
        said.emplace_back(event);
        said.back() += " " + fields.begin()->value;
    }
    void pass(Duration time) {
        for (Duration step = 100ms; time > Duration::zero(); time -= step) {
            clock.advance(step);
            timers.fire_due();
        }
    }

    env::ManualClock clock;
    env::ManualTimers timers{clock};
    std::vector<std::string> said;
    std::optional<std::string> waits_for = "the metas";
    int looks = 0;
    JoinWatch watch{{.clock = clock, .timers = timers, .log = Log(*this, LogLevel::debug)}, [this] {
                        ++looks;
                        return waits_for;
                    }};
};

TEST_F(JoinWatchTest, SaysNothingOfAWaitThatEveryStartHas) {
    pass(1900ms);
    EXPECT_TRUE(said.empty());
    waits_for.reset();
    pass(100ms);
    EXPECT_EQ(said, std::vector<std::string>{"server.ready 2000"});
    pass(1min);
    EXPECT_EQ(said.size(), 1U);
}

TEST_F(JoinWatchTest, SaysForWhatItWaitsNowAndThen) {
    pass(2s);
    EXPECT_EQ(said, std::vector<std::string>{"server.waits the metas"});
    pass(9900ms);
    EXPECT_EQ(said.size(), 1U);
    waits_for = "a data server";
    pass(100ms);
    EXPECT_EQ(said.back(), "server.waits a data server") << "what it waits for by then";
    EXPECT_EQ(said.size(), 2U);
}

TEST_F(JoinWatchTest, SaysItAnewWhenItWaitsAgain) {
    waits_for.reset();
    pass(1min);
    said.clear();
    waits_for = "the metas";
    pass(1900ms);
    EXPECT_TRUE(said.empty()) << "counted from when it began to wait";
    pass(300ms);
    EXPECT_EQ(said, std::vector<std::string>{"server.waits the metas"});
}

TEST_F(JoinWatchTest, LooksTenTimesASecond) {
    pass(1s);
    EXPECT_EQ(looks, 10);
}

}  // namespace
}  // namespace muster::cli
