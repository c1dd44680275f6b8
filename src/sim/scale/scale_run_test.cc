#include "sim/scale/scale_run.h"

#include <gtest/gtest.h>

#include "roles/meta/meta.h"

namespace muster::sim {
namespace {

using std::chrono::seconds;

double per_second(const TrafficReport& report, std::uint64_t what) {
    return static_cast<double>(what) / (static_cast<double>(report.window.count()) / 1e9);
}

// What one change adds to what is said anyhow.
double bytes_per_change(ScaleRun& run, std::uint64_t changes) {
    const TrafficReport rest = run.rest(seconds(2));
    const TrafficReport busy = run.change(changes, seconds(2));
    return (static_cast<double>(busy.all.bytes) - static_cast<double>(rest.all.bytes)) /
           static_cast<double>(changes);
}

TEST(ScaleRun, ShowsEveryChangeToThoseWhoWatch) {
    ScaleRun run({.metas = 3, .data = 4, .sessions = 5});
    ASSERT_EQ(run.start(), "");
    ASSERT_EQ(run.publish(1000), "");
    run.watch(100);
    static_cast<void>(run.change(2500, seconds(1)));
    EXPECT_EQ(run.differs(), "");
}

TEST(ScaleRun, SaysNoMoreOfMorePublicationsAtRest) {
    ScaleRun run({.metas = 3, .data = 4, .sessions = 5});
    ASSERT_EQ(run.start(), "");
    ASSERT_EQ(run.publish(1000), "");
    // Every node names all of its copies once in that time.
    const Duration window = meta::MetaOptions{}.copies_refresh;
    const TrafficReport few = run.rest(window);
    ASSERT_EQ(run.publish(19'000), "");
    const TrafficReport many = run.rest(window);
    EXPECT_GT(few.all.bytes, 0U);
    // Counts and digests are a few digits longer.
    EXPECT_LT(per_second(many, many.all.bytes), 1.05 * per_second(few, few.all.bytes));
    EXPECT_EQ(few.links, 4U * 3 / 2 + 3 * 2 / 2 + 3 * 4 + 5 * (4 + 3));
}

TEST(ScaleRun, PaysTheSameForAChangeInALargerCluster) {
    ScaleRun small({.metas = 3, .data = 4, .sessions = 5});
    ScaleRun large({.metas = 3, .data = 12, .sessions = 20});
    ASSERT_EQ(small.start() + large.start(), "");
    ASSERT_EQ(small.publish(2000) + large.publish(2000), "");
    small.watch(200);
    large.watch(200);
    const double few_nodes = bytes_per_change(small, 4000);
    const double many_nodes = bytes_per_change(large, 4000);
    EXPECT_GT(few_nodes, 100);
    EXPECT_LT(many_nodes, 1.2 * few_nodes);
}

}  // namespace
}  // namespace muster::sim
