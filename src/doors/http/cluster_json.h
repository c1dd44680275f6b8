#pragma once

#include <string>

#include "msg/node_meta.h"

namespace muster::http {

// Parts of a report as JSON.
[[nodiscard]] std::string members_json(const msg::ClusterReport& report);
[[nodiscard]] std::string slots_json(const msg::ClusterReport& report);

}  // namespace muster::http
