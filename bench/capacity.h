#pragma once

#include "effort.h"
#include "report.h"

namespace muster::bench {

// What a cluster of 300 sessions, 60 data servers and 10 million publications takes: coefficients
// measured on real processes, traffic simulated at full size, the rest worked out of both
// (docs/operating/capacity.md).
void run_capacity(Report& report, const Effort& effort);

}  // namespace muster::bench
