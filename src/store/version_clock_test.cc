#include "store/version_clock.h"

#include <gtest/gtest.h>

namespace muster::store {
namespace {

constexpr WallTime kNow{1'700'000'000'000};
constexpr std::uint64_t kPhysical = std::uint64_t{1'700'000'000'000} << kVersionCountBits;
constexpr std::uint64_t kMinute = std::uint64_t{60'000} << kVersionCountBits;

TEST(VersionClock, FollowsPhysicalTimeAndCountsWithinIt) {
    VersionClock clock;
    clock.raise_ceiling(Version(kPhysical + kMinute));
    EXPECT_EQ(clock.next(kNow), Version(kPhysical));
    EXPECT_EQ(clock.next(kNow), Version(kPhysical + 1));
    EXPECT_EQ(clock.next({kNow.unix_ms - 3'600'000}), Version(kPhysical + 2));
}

TEST(VersionClock, GivesOtherVersionsApart) {
    VersionClock clock;
    clock.raise_ceiling(Version(kPhysical + kMinute));
    constexpr std::uint64_t kMillisecond = 2 * kApart;
    EXPECT_EQ(clock.next_apart(kNow, 77), Version(kPhysical + kApart + 77));
    EXPECT_EQ(clock.next_apart(kNow, 76), Version(kPhysical + kMillisecond + kApart + 76));
    EXPECT_EQ(clock.next_apart(kNow, 78), Version(kPhysical + kMillisecond + kApart + 78));
    EXPECT_EQ(clock.next(kNow), Version(kPhysical + (2 * kMillisecond))) << "not apart";
    EXPECT_EQ(clock.next(kNow), Version(kPhysical + (2 * kMillisecond) + 1));
    VersionClock low;
    low.raise_ceiling(Version(10));
    EXPECT_EQ(low.next_apart(kNow, 77), Version(1)) << "still below the ceiling";
}

TEST(VersionClock, StaysBelowTheCeilingWhenPhysicalTimeRunsPastIt) {
    VersionClock clock;
    clock.raise_ceiling(Version(kPhysical));
    const WallTime later{kNow.unix_ms + 3'600'000};
    for (int i = 0; i < 1000; ++i) {
        EXPECT_LT(clock.next(later), Version(kPhysical));
    }
    EXPECT_FALSE(clock.exhausted());
}

TEST(VersionClock, IsExhaustedBeforeACeilingIsKnownAndWhenNoneIsLeft) {
    VersionClock clock;
    EXPECT_TRUE(clock.exhausted());
    clock.raise_ceiling(Version(3));
    EXPECT_EQ(clock.next({}), Version(1));
    EXPECT_EQ(clock.next({}), Version(2));
    EXPECT_TRUE(clock.exhausted());
}

TEST(VersionClock, GoesAboveWhatItHearsButBelievesNoVersionNobodyWasGiven) {
    VersionClock clock;
    clock.raise_ceiling(Version(kPhysical + kMinute));
    clock.merge(Version(kPhysical + 100));
    EXPECT_EQ(clock.next(kNow), Version(kPhysical + 101));
    clock.merge(Version(UINT64_MAX));
    EXPECT_EQ(clock.next(kNow), Version(kPhysical + 102));
}

TEST(VersionClock, GivesNothingNearItsLimitAndGoesOnWhenThatIsRaised) {
    VersionClock clock;
    clock.raise_ceiling(Version(kPhysical + kMinute));
    clock.set_limit({});
    EXPECT_TRUE(clock.awaits_limit());
    clock.set_limit(Version(kPhysical + 3 * VersionClock::kTurn));
    EXPECT_FALSE(clock.exhausted());
    EXPECT_EQ(clock.next(kNow), Version(kPhysical));
    const WallTime later{kNow.unix_ms + 3'600'000};
    EXPECT_LT(clock.next(later), Version(kPhysical + 2 * VersionClock::kTurn))
        << "time does not draw it so far that no turn may begin";
    EXPECT_FALSE(clock.exhausted());
    clock.merge(Version(kPhysical + 3 * VersionClock::kTurn));
    EXPECT_TRUE(clock.awaits_limit());
    clock.set_limit(Version(1));
    EXPECT_TRUE(clock.exhausted()) << "never lowered";
    clock.set_limit(Version(kPhysical + 9 * VersionClock::kTurn));
    EXPECT_GT(clock.next(kNow), Version(kPhysical + 3 * VersionClock::kTurn));
}

TEST(VersionClock, DoesNotAwaitALimitWhenTheCeilingIsReached) {
    VersionClock clock;
    clock.raise_ceiling(Version(100));
    clock.begin_at(Version(100));
    clock.set_limit(Version(50));
    EXPECT_TRUE(clock.exhausted());
    EXPECT_FALSE(clock.awaits_limit());
    EXPECT_EQ(clock.latest(), Version(100)) << "a mark counts wherever the ceiling is";
}

TEST(VersionClock, BelievesWhatMayHaveBeenGiven) {
    const Version ceiling(kPhysical + kMinute);
    EXPECT_TRUE(VersionClock::believable(Version(ceiling.raw() - 1), ceiling, kNow));
    EXPECT_FALSE(VersionClock::believable(ceiling, ceiling, kNow));
    const WallTime long_after{kNow.unix_ms + 3'600'000};
    EXPECT_TRUE(VersionClock::believable(ceiling, ceiling, long_after))
        << "it may have been raised meanwhile";
    EXPECT_TRUE(VersionClock::believable(Version(UINT64_MAX), {}, kNow)) << "nothing is known";
}

TEST(VersionClock, WhatClientsSayDoesNotExhaustIt) {
    VersionClock clock;
    const Version ceiling(kPhysical + kMinute);
    clock.raise_ceiling(ceiling);
    for (const std::uint64_t below : {1U, 2U, 1'000'000U}) {
        clock.merge_said(Version(ceiling.raw() - below));
        EXPECT_FALSE(clock.exhausted());
        EXPECT_LT(clock.next(kNow), Version(ceiling.raw() - VersionClock::kReserve / 2));
    }
    clock.merge_said(Version(kPhysical + 100'000));
    EXPECT_GT(clock.next(kNow), Version(kPhysical + 100'000));
}

}  // namespace
}  // namespace muster::store
