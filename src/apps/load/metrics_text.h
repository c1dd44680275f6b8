#pragma once

#include <optional>
#include <string_view>

namespace muster::load {

// The sum of a metric's samples whose labels hold `labels` (a part of the text between the braces)
// in what /metrics answered; nothing when there is none.
[[nodiscard]] std::optional<double> metric(std::string_view metrics_text, std::string_view name,
                                           std::string_view labels = {});

}  // namespace muster::load
