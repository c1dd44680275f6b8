#pragma once

#include <string>

#include "doors/http/cluster_face.h"

namespace muster::http {

// Parts of a report as JSON. Requires: there is one.
[[nodiscard]] std::string members_json(const ClusterAnswer& answer);
[[nodiscard]] std::string slots_json(const ClusterAnswer& answer);

// What the brake holds.
[[nodiscard]] std::string brake_json(const BrakeOutcome& outcome);

}  // namespace muster::http
