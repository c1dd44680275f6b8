#include "apps/muster/bench/steady_witness.h"

#include <gtest/gtest.h>

namespace muster::cli::bench {
namespace {

using namespace std::chrono_literals;

TEST(SteadyWitness, TimesAChangeFromWhenItWasDueToTheLastSubscriber) {
    SteadyWitness witness(2, 2);
    witness.said(1, 1, 0ms);
    witness.shown(0, 1, 1, 1ms);
    witness.shown(1, 1, 1, 1ms);
    EXPECT_EQ(witness.reached(), 2U);
    EXPECT_EQ(witness.begun(), 0U) << "the first state is no change";
    witness.said(1, 2, 10ms);
    witness.shown(0, 1, 2, 11ms);
    EXPECT_EQ(witness.open(), 1U);
    witness.shown(1, 1, 2, 40ms);
    EXPECT_EQ(witness.open(), 0U);
    const auto told = witness.verdict();
    EXPECT_EQ(told.to_last.quantiles().max, 30ms);
    EXPECT_EQ(told.to_each.count(), 2U);
    EXPECT_EQ(told.lists, 4U);
    EXPECT_EQ(told.false_removals + told.backward, 0U);
}

TEST(SteadyWitness, AListThatLosesTheInstanceIsAFalseRemovalOnce) {
    SteadyWitness witness(1, 1);
    witness.said(0, 1, 0ms);
    witness.shown(0, 0, 0, 1ms);
    EXPECT_EQ(witness.verdict().false_removals, 0U) << "it was not shown yet";
    witness.shown(0, 0, 1, 2ms);
    witness.shown(0, 0, 0, 3ms);
    witness.shown(0, 0, 0, 4ms);
    EXPECT_EQ(witness.verdict().false_removals, 1U);
    witness.shown(0, 0, 1, 5ms);
    witness.shown(0, 0, 0, 6ms);
    EXPECT_EQ(witness.verdict().false_removals, 2U);
}

TEST(SteadyWitness, AnOlderStateIsCountedAndNotBelieved) {
    SteadyWitness witness(1, 1);
    witness.said(0, 1, 0ms);
    witness.said(0, 2, 0ms);
    witness.shown(0, 0, 2, 1ms);
    witness.shown(0, 0, 1, 2ms);
    EXPECT_EQ(witness.verdict().backward, 1U);
    witness.said(0, 3, 3ms);
    witness.shown(0, 0, 3, 4ms);
    EXPECT_EQ(witness.open(), 0U);
    EXPECT_EQ(witness.verdict().to_each.count(), 2U);
}

}  // namespace
}  // namespace muster::cli::bench
