#pragma once

#include <string>

#include "roles/propagation/drain.h"
#include "roles/propagation/report.h"

namespace muster::http {

// Who has been told what of a service.
[[nodiscard]] std::string propagation_json(const propagation::Report& report);

// What became of a drain: with an `error` beside it when not everybody has acknowledged.
[[nodiscard]] std::string drained_json(const propagation::DrainWish& wish,
                                       const propagation::DrainReport& report);
[[nodiscard]] std::string restored_json(const propagation::DrainWish& wish,
                                        const propagation::DrainReport& report);

}  // namespace muster::http
