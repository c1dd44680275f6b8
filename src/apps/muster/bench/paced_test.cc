#include "apps/muster/bench/paced.h"

#include <gtest/gtest.h>

namespace muster::cli::bench {
namespace {

using namespace std::chrono_literals;

TEST(Paced, IsDueEvenlyFromItsBeginning) {
    const Paced paced(7s, 400);
    EXPECT_EQ(paced.due(0), 7s);
    EXPECT_EQ(paced.due(1), 7s + 2500us);
    EXPECT_EQ(paced.due(1'000'000), 7s + 2500s) << "steps do not add up their rounding";
}

TEST(Paced, TakesNoMoreThanFitsIntoItsTime) {
    const Paced paced(0s, 50);
    EXPECT_EQ(paced.within(10s, 10'000), 500U);
    EXPECT_EQ(paced.within(10s, 300), 300U);
    EXPECT_EQ(paced.within(1ms, 300), 1U);
}

}  // namespace
}  // namespace muster::cli::bench
