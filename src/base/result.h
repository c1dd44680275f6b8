#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "base/errc.h"

namespace muster {

// One failure of the world: what kind, and a detail that grows while it rises
// ("load snapshot 17: open: no such file").
struct Error {
    Errc code = Errc::internal;
    std::string detail;

    [[nodiscard]] bool operator==(const Error&) const = default;
};

// A value or an Error. Failures of the world travel as Results, mistakes of ours are CHECKs.
template <typename T>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(Errc code, std::string detail) {
    return std::unexpected(Error{code, std::move(detail)});
}

// Returns `error` with `context` put before its detail: "context: detail".
[[nodiscard]] std::unexpected<Error> wrap(std::string_view context, Error error);

// "not found: no service tenant/group/name": the text of the code, then the detail.
[[nodiscard]] std::string to_string(const Error& error);

}  // namespace muster

// Evaluates `expr` (a Result<void> or Result<T> whose value is not needed) and returns its error
// from the enclosing function.
#define MUSTER_TRY(expr)                                                  \
    do {                                                                  \
        if (auto muster_try_result = (expr); !muster_try_result) {        \
            return std::unexpected(std::move(muster_try_result).error()); \
        }                                                                 \
    } while (false)
