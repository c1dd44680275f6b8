#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "settings.h"

namespace muster::sdk_core {

// A services file in YAML: registers and subscribes without code (sdk/examples/services.yaml).
//
//   servers: [host:port, "http://host:port"]   app, zone, cache_folder: text
//   register:  list of {service, address or boxes, weight, enabled, healthy, zone, metadata}
//   subscribe: list of {service, scope, zone}
//
// Errors: bad_config with `file`, the line, the key, what was expected and the nearest right key.
// Bounds: 1 MiB, 10,000 registrations and as many subscriptions.
[[nodiscard]] Result<StartPlan> parse_services(std::string_view text, const std::string& file);

// The same from a file. Errors: bad_config.
[[nodiscard]] Result<StartPlan> read_services_file(const std::string& file);

}  // namespace muster::sdk_core
