#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/publication.h"

namespace muster::http {

// The body of PUT .../instances/{id}, checked.
struct InstanceBody {
    std::vector<std::string> boxes;
    std::string zone{kDefaultZone};
    std::string app;
    Duration ttl = std::chrono::seconds(15);
};

// Reads {"ip":..,"port":..,"scheme","weight","enabled","healthy","metadata"} or {"boxes":[..]},
// both with "zone", "app" and "ttl_seconds" (1 to 3600). Errors: bad_content with line and column
// when it is no JSON; invalid_argument naming the field otherwise. Bounds: 32 levels, 64 boxes.
[[nodiscard]] Result<InstanceBody> read_instance_body(std::string_view text);

}  // namespace muster::http
