#pragma once

#include <string_view>

namespace muster::http {

// api/http/openapi.yaml as it was when this was built.
[[nodiscard]] std::string_view openapi_yaml();

}  // namespace muster::http
