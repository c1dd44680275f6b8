#include "store/removal_brake.h"

#include <gtest/gtest.h>

namespace muster::store {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr BrakeLimits kLimits{.window = seconds(10), .count = 3, .percent = 50};
const MonoTime kStart{seconds(100)};

TEST(RemovalBrake, LetsSingleRemovalsPass) {
    RemovalBrake brake(kLimits);
    for (int i = 0; i < 100; ++i) {
        EXPECT_TRUE(brake.admit("orders", 1, 5, kStart + seconds(11) * i));
    }
    EXPECT_FALSE(brake.braking("orders"));
}

TEST(RemovalBrake, SmallServicesMayGoWhole) {
    RemovalBrake brake(kLimits);
    EXPECT_TRUE(brake.admit("orders", 1, 3, kStart));
    EXPECT_TRUE(brake.admit("orders", 1, 2, kStart));
    EXPECT_TRUE(brake.admit("orders", 1, 1, kStart));
}

TEST(RemovalBrake, HoldsWhatPassesCountAndShare) {
    RemovalBrake brake(kLimits);
    for (std::size_t living = 10; living > 5; --living) {
        EXPECT_TRUE(brake.admit("orders", 1, living, kStart)) << living;
    }
    EXPECT_FALSE(brake.admit("orders", 1, 5, kStart));
    EXPECT_TRUE(brake.braking("orders"));
    EXPECT_TRUE(brake.admit("stock", 1, 5, kStart)) << "another key";
}

TEST(RemovalBrake, ManyOfALargeServiceAreNoReason) {
    RemovalBrake brake(kLimits);
    EXPECT_TRUE(brake.admit("orders", 400, 1000, kStart));
    EXPECT_FALSE(brake.admit("orders", 101, 600, kStart));
}

TEST(RemovalBrake, HoldsOnWhileMoreIsAsked) {
    RemovalBrake brake(kLimits);
    EXPECT_FALSE(brake.admit("orders", 9, 10, kStart));
    EXPECT_FALSE(brake.admit("orders", 1, 10, kStart + seconds(9)));
    EXPECT_FALSE(brake.admit("orders", 1, 10, kStart + seconds(18)));
    EXPECT_TRUE(brake.admit("orders", 1, 10, kStart + seconds(28)));
}

TEST(RemovalBrake, SaysHowItCameToBrake) {
    RemovalBrake brake(kLimits);
    EXPECT_FALSE(brake.trip("orders"));
    EXPECT_EQ(brake.admit_some("orders", 20, 10, kStart), 5U);
    EXPECT_FALSE(brake.admit("orders", 1, 5, kStart + seconds(1)));
    const auto trip = brake.trip("orders");
    ASSERT_TRUE(trip);
    EXPECT_EQ(trip->since, kStart);
    EXPECT_EQ(brake.why(*trip, "publications"),
              "6 of 10 publications closed or fell silent within 10 s");
}

TEST(RemovalBrake, CountsAnewWhenReleased) {
    RemovalBrake brake(kLimits);
    EXPECT_FALSE(brake.admit("orders", 9, 10, kStart));
    brake.release("orders");
    EXPECT_TRUE(brake.admit("orders", 1, 10, kStart));
}

TEST(RemovalBrake, ForgetsKeysAfterTheirWindow) {
    RemovalBrake brake(kLimits);
    EXPECT_TRUE(brake.admit("orders", 1, 10, kStart));
    EXPECT_FALSE(brake.admit("stock", 9, 10, kStart));
    brake.sweep(kStart + seconds(9));
    EXPECT_EQ(brake.keys(), 2U);
    EXPECT_EQ(brake.keys_braking(), 1U);
    brake.sweep(kStart + seconds(10));
    EXPECT_EQ(brake.keys(), 0U);
}

TEST(RemovalBrake, AWindowGoesOnAfterAPause) {
    RemovalBrake brake(kLimits);
    EXPECT_TRUE(brake.admit("orders", 3, 8, kStart));
    brake.extend(seconds(20));
    EXPECT_FALSE(brake.admit("orders", 2, 5, kStart + seconds(21)))
        << "both within one window of running time";
}

TEST(RemovalBrake, AShareAboveOneNeverBrakes) {
    RemovalBrake brake({.window = seconds(10), .count = 0, .percent = 100});
    EXPECT_TRUE(brake.admit("orders", 1000, 1000, kStart));
}

}  // namespace
}  // namespace muster::store
