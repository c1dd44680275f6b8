#include "apps/muster/bench/spreading_changes.h"

#include <gtest/gtest.h>

namespace muster::cli::bench {
namespace {

using namespace std::chrono_literals;

TEST(SpreadingChanges, EndWithTheLastSubscriber) {
    SpreadingChanges changes(1, 2);
    changes.begin(0, 2, 1s);
    changes.shown(0, 1, 2, 1s + 1ms);
    EXPECT_EQ(changes.open(), 1U);
    EXPECT_EQ(changes.to_last().count(), 0U);
    changes.shown(0, 1, 2, 1s + 5ms);
    EXPECT_EQ(changes.open(), 0U);
    EXPECT_EQ(changes.to_each().count(), 2U);
    EXPECT_EQ(changes.to_last().quantiles().max, 5ms);
}

TEST(SpreadingChanges, ALaterVersionTellsAllBeforeItFromWhenTheyWereDue) {
    SpreadingChanges changes(1, 1);
    changes.begin(0, 2, 0ms);
    changes.begin(0, 3, 10ms);
    changes.shown(0, 1, 3, 11ms);
    EXPECT_EQ(changes.open(), 0U);
    EXPECT_EQ(changes.to_last().quantiles().max, 11ms);
    EXPECT_EQ(changes.to_last().count(), 2U);
}

TEST(SpreadingChanges, WhatASubscriberHadAlreadyIsNotToldTwice) {
    SpreadingChanges changes(2, 2);
    changes.begin(1, 2, 0ms);
    changes.begin(1, 3, 0ms);
    changes.shown(1, 1, 2, 1ms);
    changes.shown(1, 2, 3, 2ms);
    EXPECT_EQ(changes.to_each().count(), 2U);
    EXPECT_EQ(changes.open(), 2U) << "the other subscriber";
    changes.shown(1, 1, 3, 3ms);
    EXPECT_EQ(changes.open(), 0U);
    changes.shown(9, 1, 3, 3ms);  // no such entry
    EXPECT_EQ(changes.begun(), 2U);
}

}  // namespace
}  // namespace muster::cli::bench
