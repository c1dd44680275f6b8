#include "sim/deltas/delta_run.h"

#include <gtest/gtest.h>

namespace muster::sim {
namespace {

TEST(DeltaRun, ShowsWhatIsPublishedAfterEveryStorm) {
    const DeltaOutcome outcome = DeltaRun({.seed = 1, .changes = 10'000}).run();
    EXPECT_EQ(outcome.failure, "");
    EXPECT_EQ(outcome.lacking(), "") << outcome.text();
    EXPECT_GE(outcome.changes, 10'000U);
    EXPECT_EQ(outcome.settled, 1 + 4U) << "once filled, and after each storm";
    EXPECT_EQ(outcome.digest_mismatches, 0U);
    EXPECT_EQ(outcome.unfit, 0U);
}

TEST(DeltaRun, ShowsItAlsoWhenPublishersComeAndGo) {
    const DeltaOutcome outcome =
        DeltaRun({.seed = 2, .changes = 10'000, .publishers_return = true}).run();
    EXPECT_EQ(outcome.failure, "");
    EXPECT_EQ(outcome.lacking(), "") << outcome.text();
}

TEST(DeltaRun, IsTheSameTwice) {
    const DeltaOutcome one = DeltaRun({.seed = 3, .changes = 3000}).run();
    const DeltaOutcome other = DeltaRun({.seed = 3, .changes = 3000}).run();
    EXPECT_EQ(one.failure, "");
    EXPECT_EQ(one.hash, other.hash);
    EXPECT_EQ(one.text(), other.text());
    EXPECT_NE(one.hash, DeltaRun({.seed = 4, .changes = 3000}).run().hash);
}

TEST(DeltaOutcome, LacksWhatWasHardlyTold) {
    DeltaOutcome outcome{.changes = 10'000,
                         .deltas = 9000,
                         .wholes = 900,
                         .long_wholes = 90,
                         .packed = 9,
                         .connections_broken = 9};
    EXPECT_EQ(outcome.lacking(), "");
    outcome.long_wholes = 1;
    EXPECT_EQ(outcome.lacking(), "only 900 whole lists were told of 10000 changes, 1 of them long");
    outcome.deltas = 100;
    EXPECT_EQ(outcome.lacking(), "only 100 deltas were told of 10000 changes");
}

}  // namespace
}  // namespace muster::sim
