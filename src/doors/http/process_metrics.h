#pragma once

#include "doors/http/metrics_text.h"

namespace muster::http {

// process_resident_memory_bytes, process_open_fds, process_cpu_seconds_total and
// process_start_time_seconds of this process, from /proc (proc(5)). What cannot be read is left
// out.
void write_process_metrics(MetricsText& text);

}  // namespace muster::http
