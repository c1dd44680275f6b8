#pragma once

#include <string>

#include "apps/muster/bench/report.h"
#include "apps/muster/bench/spreading_changes.h"

namespace muster::cli::bench {

[[nodiscard]] inline Figure time_figure(std::string metric, std::string what,
                                        const load::Latencies& took) {
    return {.metric = std::move(metric), .what = std::move(what), .took = took.quantiles()};
}

[[nodiscard]] inline Figure value_figure(std::string metric, std::string what, double value,
                                         std::string unit = {}) {
    return {.metric = std::move(metric),
            .what = std::move(what),
            .value = value,
            .unit = std::move(unit)};
}

// `count` in that time, a second; zero when there was none.
[[nodiscard]] inline double per_second(std::uint64_t count, Duration passed) {
    const double seconds = static_cast<double>(passed.count()) / 1e9;
    return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

}  // namespace muster::cli::bench
