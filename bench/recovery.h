#pragma once

#include "effort.h"
#include "report.h"

namespace muster::bench {

// What a cluster of real processes does after a fault, and what it costs when nothing happens:
// three metas, three data nodes and two sessions on this machine, under a small churn of real
// clients. Each figure is over `effort.trials` faults.
void run_recovery(Report& report, const Effort& effort);

}  // namespace muster::bench
