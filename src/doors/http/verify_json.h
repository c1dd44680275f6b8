#pragma once

#include <string>

#include "roles/verify/report.h"

namespace muster::http {

// The outcome of a verification.
[[nodiscard]] std::string verify_json(const verify::Report& report);

}  // namespace muster::http
