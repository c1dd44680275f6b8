#pragma once

#include "effort.h"
#include "report.h"

namespace muster::bench {

// What many clients do at once to a server of its own, each by a work of `muster bench`: all of
// them connect and register; the instances of one service restart some at a time before many
// subscribers; a tenth of all clients is cut off. And one instance that flaps, by connections of
// this program. Times, memory, and that no queue was full and nothing falsely removed. Some
// minutes.
void run_storms(Report& report, const Effort& effort);

}  // namespace muster::bench
