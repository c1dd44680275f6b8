#pragma once

#include "base/result.h"

namespace muster::cli {

// Prints "muster: <sentence>" to standard error; returns the exit status of the error.
[[nodiscard]] int report(const Error& error);

}  // namespace muster::cli
