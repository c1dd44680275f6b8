#include "roles/session/token_buckets.h"

#include <gtest/gtest.h>

namespace muster::session {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(TokenBuckets, ForgetsTheFullOnes) {
    TokenBuckets buckets({.per_second = 10, .burst = 10});
    MonoTime now{seconds(1)};
    buckets.take("a", now);
    buckets.take("b", now);
    buckets.take("b", now);
    buckets.sweep(now + milliseconds(100));
    EXPECT_EQ(buckets.size(), 1U);
    buckets.sweep(now + milliseconds(200));
    EXPECT_EQ(buckets.size(), 0U);
}

TEST(TokenBuckets, OfManyShareOneAboveTheirNumber) {
    TokenBuckets buckets({.per_second = 1, .burst = 1});
    const MonoTime now{seconds(1)};
    for (std::size_t i = 0; i < TokenBuckets::kNamesMax; ++i) {
        buckets.take(std::to_string(i), now);
    }
    EXPECT_EQ(buckets.until_token("x", now), Duration{});
    buckets.take("x", now);
    buckets.take("y", now);
    EXPECT_EQ(buckets.size(), TokenBuckets::kNamesMax + 1);
    EXPECT_GT(buckets.until_token("z", now), Duration{});
    EXPECT_GT(buckets.until_token("7", now), Duration{});
}

}  // namespace
}  // namespace muster::session
