#include "roles/data/test_world.h"

// What a change carries of its way: Trace.
namespace muster::data {
namespace {

using namespace std::chrono_literals;
using test::service;
using test::TestSession;
using test::World;

const ServicePtr kOrders = service("orders");
constexpr std::int64_t kMs = 1000;  // in microseconds

// How a class tells its histograms.
class Written final : public MetricsWriter {
public:
    void counter(std::string_view name, std::string_view, std::uint64_t value,
                 MetricLabels) override {
        if (name == "muster_propagation_below_zero_total") {
            below_zero = value;
        }
    }
    void gauge(std::string_view, std::string_view, std::int64_t, MetricLabels) override {}
    void histogram(std::string_view name, std::string_view, const HistogramView& histogram,
                   MetricLabels labels) override {
        if (name == "muster_propagation_seconds") {
            stage = labels.begin()->second;
            count = histogram.count;
            sum_us = histogram.sum_us;
        }
    }
    std::string stage;
    std::uint64_t count = 0;
    std::uint64_t sum_us = 0;
    std::uint64_t below_zero = 0;
};

class ChangeTrace : public ::testing::Test {
protected:
    ChangeTrace() {
        world.assign({"d1", "d2"});
        world.pass(2s);
        s2.want(kOrders);
        world.pass(1s);
        s2.traces.clear();
    }
    Written metrics(const std::string& node) {
        Written written;
        world[node].write_metrics(written);
        return written;
    }

    World world{{"d1", "d2"}};
    TestSession& s1 = world.session("s1");
    TestSession& s2 = world.session("s2");
};

TEST_F(ChangeTrace, TellsWhenTheSessionGotTheWriteAndWhenTheLeaderAppliedIt) {
    s1.got_us = world.wall_us() - 7 * kMs;
    s1.publish("a", kOrders);
    ASSERT_EQ(s2.traces.size(), 1U);
    EXPECT_EQ(s2.traces[0], (Trace{.got_us = s1.got_us, .to_leader_us = 7 * kMs}));
    const Written written = metrics("d1");
    EXPECT_EQ(written.stage, "session_to_leader");
    EXPECT_EQ(written.count, 1U);
    EXPECT_EQ(written.sum_us, 7U * kMs);
}

TEST_F(ChangeTrace, CountsAClockThatIsBehindApart) {
    s1.got_us = world.wall_us() + 7 * kMs;
    s1.publish("a", kOrders);
    ASSERT_EQ(s2.traces.size(), 1U);
    EXPECT_EQ(s2.traces[0].to_leader_us, -7 * kMs);
    EXPECT_EQ(metrics("d1").count, 0U);
    EXPECT_EQ(metrics("d1").below_zero, 1U);
}

TEST_F(ChangeTrace, SaysNothingOfWhatNobodyTimed) {
    for (const std::int64_t got_us :
         {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min(),
          std::numeric_limits<std::int64_t>::max()}) {
        s1.got_us = got_us;
        s1.publish("a" + std::to_string(got_us), kOrders);
        ASSERT_FALSE(s2.traces.empty());
        EXPECT_EQ(s2.traces.back(), Trace{});
    }
    EXPECT_EQ(metrics("d1").count, 0U);
}

TEST_F(ChangeTrace, BeginsAtTheLeaderWhenThatDecides) {
    s1.publish("10.0.0.1:1", kOrders);
    s1.boxes["10.0.0.1:1"] = "10.0.0.1:1";
    s1.publish("10.0.0.1:1", kOrders);
    s2.traces.clear();
    const auto marked = world.ask_mark(
        "d1", {.service = kOrders, .address = "10.0.0.1:1", .kind = Mark::Kind::drained});
    ASSERT_TRUE(marked.result) << to_string(marked.result.error());
    ASSERT_EQ(s2.traces.size(), 1U);
    EXPECT_EQ(s2.traces[0], Trace{.got_us = world.wall_us()});
    EXPECT_EQ(metrics("d1").count, 0U) << "no session said it";
}

TEST_F(ChangeTrace, IsKnownToTheLeaderThatComesNext) {
    const Version held = s2.copies["orders"].version;
    const std::int64_t before_us = world.wall_us();
    s1.got_us = before_us - 2 * kMs;
    s1.publish("a", kOrders);
    s2.traces.clear();
    s2.copies["orders"].version = held;  // it has not heard of that
    s2.copies["orders"].ids.clear();
    world.kill("d1");
    world.assign({"d2"});
    world.pass(3s);
    s2.want(kOrders);
    world.pass(1s);
    ASSERT_FALSE(s2.traces.empty());
    EXPECT_EQ(s2.traces[0], (Trace{.got_us = s1.got_us, .to_leader_us = 2 * kMs}));
}

}  // namespace
}  // namespace muster::data
