#include "model/trace.h"

#include <limits>
#include <set>

#include <gtest/gtest.h>

namespace muster {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(StageHistogram, CountsInTheBucketThatIsNotBelow) {
    StageHistogram histogram;
    histogram.record(microseconds(0));
    histogram.record(microseconds(500));
    histogram.record(microseconds(501));
    histogram.record(milliseconds(5));
    histogram.record(seconds(10));
    histogram.record(seconds(11));
    EXPECT_EQ(histogram.counts().front(), 2U);
    EXPECT_EQ(histogram.counts()[1], 1U);
    EXPECT_EQ(StageHistogram::kBoundsUs[4], 5000U);
    EXPECT_EQ(histogram.counts()[4], 1U);
    EXPECT_EQ(histogram.counts()[StageHistogram::kBoundsUs.size() - 1], 1U);
    EXPECT_EQ(histogram.counts().back(), 1U);
    EXPECT_EQ(histogram.count(), 6U);
    EXPECT_EQ(histogram.sum_us(), 0U + 500 + 501 + 5000 + 10'000'000 + 11'000'000);
    EXPECT_EQ(histogram.max_us(), 11'000'000U);
}

TEST(StageHistogram, CountsWhatIsBelowZeroOnlyApart) {
    StageHistogram histogram;
    histogram.record(microseconds(-1));
    EXPECT_EQ(histogram.below_zero(), 1U);
    EXPECT_EQ(histogram.count(), 0U);
    EXPECT_EQ(histogram.sum_us(), 0U);
}

TEST(Trace, IsKnownWhenAllItsTimesMayBe) {
    constexpr std::int64_t kNow = 1'700'000'000'000'000;
    EXPECT_TRUE((Trace{.got_us = kNow, .to_leader_us = -300}).known());
    EXPECT_EQ((Trace{.got_us = kNow, .to_leader_us = -300}).applied_us(), kNow - 300);
    EXPECT_FALSE(Trace{}.known());
    for (const std::int64_t wild :
         {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
        EXPECT_FALSE(Trace{.got_us = wild}.known());
        EXPECT_FALSE((Trace{.got_us = kNow, .to_leader_us = wild}).known());
    }
    EXPECT_FALSE((Trace{.got_us = kNow, .to_leader_us = -kNow}).known());
}

TEST(Stages, HaveNamesOfTheirOwn) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < kStages; ++i) {
        names.insert(to_string(static_cast<Stage>(i)));
    }
    EXPECT_EQ(names.size(), kStages);
    EXPECT_FALSE(names.contains("unknown"));
}

}  // namespace
}  // namespace muster
