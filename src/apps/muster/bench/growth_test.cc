#include "apps/muster/bench/growth.h"

#include <gtest/gtest.h>

namespace muster::cli::bench {
namespace {

TEST(Growth, TellsWhatOneTakesInTheStepsByOrder) {
    Growth growth;
    EXPECT_EQ(growth.median(), 0);
    EXPECT_EQ(growth.in_a_gb(), 0);
    growth.add(100, 1000, 41'000);
    growth.add(100, 41'000, 51'000);
    growth.add(50, 51'000, 61'000);
    growth.add(0, 0, 1e9);
    EXPECT_EQ(growth.steps(), 3U);
    EXPECT_EQ(growth.least(), 100);
    EXPECT_EQ(growth.median(), 200);
    EXPECT_EQ(growth.most(), 400);
    EXPECT_EQ(growth.in_a_gb(), 5e6);
}

TEST(Growth, MemoryThatShrinksHoldsNothingMore) {
    Growth growth;
    growth.add(10, 1000, 900);
    EXPECT_EQ(growth.median(), -10);
    EXPECT_EQ(growth.in_a_gb(), 0);
}

}  // namespace
}  // namespace muster::cli::bench
