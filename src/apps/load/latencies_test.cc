#include "apps/load/latencies.h"

#include <gtest/gtest.h>

#include "base/prng.h"

namespace muster::load {
namespace {

using namespace std::chrono_literals;

TEST(Latencies, OfNothingAreZero) {
    const Quantiles none = Latencies().quantiles();
    EXPECT_EQ(none.count, 0U);
    EXPECT_EQ(none.max, 0ns);
}

TEST(Latencies, OfOneAreThatOne) {
    Latencies one;
    one.add(1234567ns);
    const Quantiles told = one.quantiles();
    EXPECT_EQ(told.count, 1U);
    EXPECT_EQ(told.p50, 1234567ns);
    EXPECT_EQ(told.p999, 1234567ns);
    EXPECT_EQ(told.max, 1234567ns);
}

TEST(Latencies, TellTheMaximumExactlyAndTheRestByRank) {
    Latencies all;
    all.add(1ms, 989);
    all.add(10ms, 10);
    all.add(777777777ns);
    const Quantiles told = all.quantiles();
    EXPECT_EQ(told.count, 1000U);
    EXPECT_GE(told.p50, 1ms);
    EXPECT_LE(told.p50, 1ms + 1ns * (1'000'000 / 64));
    EXPECT_GE(told.p99, 10ms) << "989 of 1000 are below";
    EXPECT_LE(told.p999, 10ms + 1ns * (10'000'000 / 64));
    EXPECT_EQ(told.max, 777777777ns);
}

TEST(Latencies, AreNeverShorterThanTheyWereNorASixtyFourthLonger) {
    Prng random(7);
    for (int i = 0; i < 20'000; ++i) {
        const Duration took(static_cast<std::int64_t>(random.below(1ULL << random.below(42))));
        Latencies both;
        both.add(took);
        both.add(took + 1h);
        const Duration told = both.quantiles().p50;
        ASSERT_GE(told, took);
        ASSERT_LE(told.count(), took.count() + took.count() / 64 + 1);
    }
}

TEST(Latencies, BelowZeroCountsAsZeroAndTheLongestHasItsPlace) {
    Latencies odd;
    odd.add(-5ms);
    odd.add(24h);
    EXPECT_EQ(odd.quantiles().p50, 0ns);
    EXPECT_EQ(odd.quantiles().max, 24h);
}

TEST(Latencies, AddUp) {
    Latencies some;
    some.add(1ms, 3);
    Latencies others;
    others.add(2ms);
    some.add(others);
    EXPECT_EQ(some.count(), 4U);
    EXPECT_EQ(some.quantiles().max, 2ms);
}

}  // namespace
}  // namespace muster::load
