#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"

namespace muster::sim {

// How many nodes of each role a simulated cluster has.
struct ScaleSize {
    // Copies of a slot, and sessions that watch a service: with fewer nodes, costs of a change
    // could not be compared.
    static constexpr int kNodesMin = 3;
    static constexpr int kSessionsMax = 1000;
    static constexpr int kDataMax = 300;

    int metas = 3;
    int data = 3;
    int sessions = 2;

    [[nodiscard]] bool operator==(const ScaleSize&) const = default;
};

// Reads "30x6,300x60": sessions x data servers of each size. Returns them from small to large, each
// once. Errors: invalid_argument for anything else, or out of the bounds above.
[[nodiscard]] Result<std::vector<ScaleSize>> parse_scale_sizes(std::string_view text);

}  // namespace muster::sim
