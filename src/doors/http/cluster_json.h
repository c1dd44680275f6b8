#pragma once

#include <string>

#include "doors/http/cluster_face.h"
#include "msg/node_meta.h"

namespace muster::http {

// Parts of a report as JSON.
[[nodiscard]] std::string members_json(const msg::ClusterReport& report);
[[nodiscard]] std::string slots_json(const msg::ClusterReport& report);

// What the brake holds.
[[nodiscard]] std::string brake_json(const BrakeOutcome& outcome);

}  // namespace muster::http
