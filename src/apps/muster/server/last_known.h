#pragma once

#include <optional>
#include <vector>

#include "base/time.h"
#include "model/cluster.h"
#include "msg/node_meta.h"
#include "roles/node/node_view.h"

namespace muster::cli {

// The cluster as one node knows it, whatever the metas say now.
struct LastKnown {
    msg::ClusterReport report;    // without a leader, and without what only a leading meta knows
    std::optional<Duration> age;  // since the metas last confirmed it; none: not in this life
};

// What a data or session role was told. `metas`: of the group.
[[nodiscard]] LastKnown last_known(const node::NodeView& view, const std::vector<NodeId>& metas,
                                   MonoTime now);

// Who knows of newer changes.
[[nodiscard]] LastKnown newer_of(LastKnown one, LastKnown other);

}  // namespace muster::cli
