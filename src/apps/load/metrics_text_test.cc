#include "apps/load/metrics_text.h"

#include <gtest/gtest.h>

namespace muster::load {
namespace {

constexpr std::string_view kText =
    "# HELP pushes_total Pushes.\n"
    "pushes_total{door=\"native\"} 3\n"
    "pushes_total{door=\"bolt\"} 4\n"
    "pushes 9\n"
    "process_cpu_seconds_total 1.25";

TEST(MetricsText, SumsTheSamplesOfAName) {
    EXPECT_EQ(metric(kText, "pushes_total"), 7);
    EXPECT_EQ(metric(kText, "pushes_total", "door=\"bolt\""), 4);
    EXPECT_EQ(metric(kText, "process_cpu_seconds_total"), 1.25) << "the last line needs no end";
}

TEST(MetricsText, TellsNothingOfWhatIsNotThere) {
    EXPECT_EQ(metric(kText, "push"), std::nullopt) << "part of a name is another name";
    EXPECT_EQ(metric("", "pushes"), std::nullopt);
    EXPECT_EQ(metric("<html>pushes</html>", "pushes"), std::nullopt);
}

}  // namespace
}  // namespace muster::load
