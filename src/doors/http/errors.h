#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "doors/http/json_writer.h"
#include "wire/http1/message.h"

namespace muster::http {

// What whoever gets this error can do about it: one sentence.
[[nodiscard]] std::string_view action_of(Errc code);

// {"error":{"code","message","action","retryable"}} with the status of base/errc.h, and Retry-After
// when trying again helps. `nearest` (routes that resemble the one asked for) is added when given.
[[nodiscard]] http1::Response error_response(const Error& error,
                                             const std::vector<std::string>& nearest = {});

// The member "error" of it, for an answer that tells more. Requires: within an object.
void write_error(JsonWriter& json, const Error& error,
                 const std::vector<std::string>& nearest = {});

// The table of all errors as a page of Markdown: docs/reference/http_errors.md.
[[nodiscard]] std::string http_errors_page();

}  // namespace muster::http
