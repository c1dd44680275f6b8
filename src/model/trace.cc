#include "model/trace.h"

#include <algorithm>

namespace muster {

std::string_view to_string(Stage stage) {
    switch (stage) {
        case Stage::client_to_session: return "client_to_session";
        case Stage::write_round_trip: return "write_round_trip";
        case Stage::session_to_leader: return "session_to_leader";
        case Stage::leader_to_session: return "leader_to_session";
        case Stage::session_to_push: return "session_to_push";
        case Stage::push_to_ack: return "push_to_ack";
        case Stage::end_to_end: return "end_to_end";
    }
    return "unknown";
}

void StageHistogram::record(Duration duration) {
    if (duration < Duration{}) {
        ++below_zero_;
        return;
    }
    const auto us = static_cast<std::uint64_t>(to_us(duration));
    const auto bucket = std::ranges::lower_bound(kBoundsUs, us) - kBoundsUs.begin();
    ++counts_.at(static_cast<std::size_t>(bucket));
    ++count_;
    sum_us_ += us;
    max_us_ = std::max(max_us_, us);
}

StageHistogram::operator HistogramView() const {
    return {.bounds_us = kBoundsUs, .counts = counts_, .count = count_, .sum_us = sum_us_};
}

void write_stage(MetricsWriter& writer, Stage stage, const StageHistogram& histogram) {
    writer.histogram(
        "muster_propagation_seconds",
        "Changes on their way to subscribers, by stage. client_to_session, session_to_leader, "
        "leader_to_session and end_to_end include the difference of two nodes' wall clocks.",
        histogram, {{"stage", to_string(stage)}});
    writer.counter("muster_propagation_below_zero_total",
                   "Durations that two clocks gave as less than nothing: one is behind the other.",
                   histogram.below_zero(), {{"stage", to_string(stage)}});
}

}  // namespace muster
