#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace muster::http1 {

// The two parts of a request target, still encoded. A fragment and the authority of an absolute
// target ("http://host/path") are dropped.
struct Target {
    std::string_view path;
    std::string_view query;
};

// Errors: invalid_argument when the path does not begin with '/'.
[[nodiscard]] Result<Target> split_target(std::string_view target);

// RFC 3986 2.1. Errors: invalid_argument when a '%' is not followed by two hexadecimal digits, or
// the outcome holds a zero byte.
[[nodiscard]] Result<std::string> percent_decode(std::string_view text);

// The same for text that may not have been encoded at all: a '%' that begins no escape stays.
[[nodiscard]] std::string percent_decode_leniently(std::string_view text);

// Escapes everything but the unreserved characters of RFC 3986 2.3, the slash too.
[[nodiscard]] std::string percent_encode(std::string_view text);

// Splits at '/' and decodes each segment, so that an encoded slash stays within its segment. "/"
// has one empty segment. Errors: invalid_argument.
[[nodiscard]] Result<std::vector<std::string>> split_path(std::string_view path);

// Names and values of a query string, in order. '+' is a plus. Bounds: 64 parameters.
class Query {
public:
    // Errors: invalid_argument (broken escapes, too many parameters).
    [[nodiscard]] static Result<Query> parse(std::string_view text);

    // For clients that send values as they are (SOFARegistry's does): never fails; parameters over
    // the bound are left out.
    [[nodiscard]] static Query parse_leniently(std::string_view text);

    // The first value of that name.
    [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;

    [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& items() const {
        return items_;
    }

private:
    std::vector<std::pair<std::string, std::string>> items_;
};

}  // namespace muster::http1
