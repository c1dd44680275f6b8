#pragma once

#include <string>

#include "roles/propagation/history.h"

namespace muster::http {

// What became of a service's instances.
[[nodiscard]] std::string history_json(const propagation::HistoryReport& report);

}  // namespace muster::http
