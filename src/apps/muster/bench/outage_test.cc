#include "apps/muster/bench/outage.h"

#include <gtest/gtest.h>

namespace muster::cli::bench {
namespace {

using namespace std::chrono_literals;

TEST(Outage, WithoutOneAllIsEqualAtOnce) {
    Outage outage(100s);
    EXPECT_EQ(outage.longest(), 0ms);
    EXPECT_EQ(outage.to_equal(), 0ms);
    for (int i = 0; i < 100; ++i) {
        outage.add(100s + i * 50ms, 100s + i * 50ms + 3ms);
    }
    EXPECT_EQ(outage.longest(), 3ms);
    EXPECT_LE(outage.to_equal(), 10ms);
}

TEST(Outage, EndsWithTheFirstThatIsShownLateAndLastsForTheOthers) {
    Outage outage(0s);
    outage.add(1s, 1001ms);
    // From 2 s to 12 s one side hears nothing of the other, and goes on by itself.
    for (int i = 0; i < 100; ++i) {
        outage.add(2s + i * 100ms, 2s + i * 100ms + 2ms);
    }
    outage.add(3s, 12000ms);
    outage.add(2s, 12340ms);
    outage.add(11s, 12700ms);
    // Said after its end: not waited for.
    outage.add(12500ms, 13500ms);
    EXPECT_EQ(outage.longest(), 10340ms);
    EXPECT_EQ(outage.to_equal(), 700ms);
}

TEST(Outage, AnEarlierShorterOneIsNotItsBeginning) {
    Outage outage(0s);
    outage.add(1s, 5s);
    outage.add(10s, 20s);
    outage.add(19s, 20250ms);
    EXPECT_EQ(outage.longest(), 10s);
    EXPECT_EQ(outage.to_equal(), 250ms);
}

TEST(Outage, TimesBeyondItsRoomAreTakenTogether) {
    Outage outage(0s);
    outage.add(4000s, 5000s);
    outage.add(-1s, 0s);
    EXPECT_EQ(outage.longest(), 1000s);
}

}  // namespace
}  // namespace muster::cli::bench
