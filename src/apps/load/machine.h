#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"

namespace muster::load {

// "2 x Intel(R) Xeon(R) Processor".
[[nodiscard]] std::string machine_name();

[[nodiscard]] unsigned cores();

// The clock all times of a load are read from.
[[nodiscard]] Duration now();

// What this process took so far, and holds.
[[nodiscard]] Duration own_cpu();
[[nodiscard]] std::uint64_t own_rss_bytes();

}  // namespace muster::load
