#pragma once

#include "apps/muster/query_commands.h"

namespace muster::cli {

// Prints the version of this program; 0.
[[nodiscard]] int run_version(const QueryOptions& options);

}  // namespace muster::cli
