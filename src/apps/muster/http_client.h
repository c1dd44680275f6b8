#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace muster::cli {

struct HttpAnswer {
    unsigned status = 0;
    std::string body;
};

// One blocking request to a registry's HTTP port, for commands that ask once. `server` is
// "host:port" or "http://host:port". Errors: invalid_argument (another form), unavailable (cannot
// connect), timeout, closed (no answer), bad_frame (no HTTP, or over 256 MiB).
[[nodiscard]] Result<HttpAnswer> http_request(std::string_view method, std::string_view server,
                                              std::string_view target, std::string_view body = {},
                                              Duration patience = std::chrono::seconds(10));

// Escapes a path segment or query value (RFC 3986, 2.1).
[[nodiscard]] std::string percent_encode(std::string_view text);

}  // namespace muster::cli
