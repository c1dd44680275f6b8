#pragma once

#include "apps/muster/query_commands.h"

namespace muster::cli {

// `muster verify`: whether all copies and sessions of a cluster hold the same. Says on standard
// error that it waits, when it does for over a second. Returns 0 when all is equal, 1 when
// something differs, 3 when not everybody could be asked or compared.
[[nodiscard]] int run_verify(const QueryOptions& options);

}  // namespace muster::cli
