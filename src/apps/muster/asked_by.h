#pragma once

#include <string>

namespace muster::cli {

// What the registry notes as who asks (model/asked_by.h), as part of a query: "&by=ana%40ops1". Of
// `given`, or when that is empty of who runs this: LOGIN@HOST; below sudo the login that called it.
[[nodiscard]] std::string asked_by_parameter(const std::string& given);

}  // namespace muster::cli
