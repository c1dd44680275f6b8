#pragma once

#include <expected>
#include <string>
#include <utility>

#include "base/result.h"
#include "muster/muster.h"

namespace muster::sdk_core {

// What a function of the C face answers when it does not answer MUSTER_OK.
struct Failure {
    muster_status status = MUSTER_INTERNAL;
    std::string message;
};

template <typename T>
using Outcome = std::expected<T, Failure>;

[[nodiscard]] inline std::unexpected<Failure> failed(muster_status status, std::string message) {
    return std::unexpected(Failure{status, std::move(message)});
}

// The C status nearest to an error of the registry or of ours.
[[nodiscard]] muster_status status_of(Errc code);
[[nodiscard]] inline std::unexpected<Failure> failed(const Error& error) {
    return failed(status_of(error.code), error.detail.empty() ? to_string(error) : error.detail);
}

}  // namespace muster::sdk_core
