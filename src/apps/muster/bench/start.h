#pragma once

#include <cstdint>
#include <functional>

#include "apps/muster/bench/report.h"
#include "apps/muster/bench/sizes.h"
#include "base/result.h"

namespace muster::cli::bench {

// What starting servers asks of the program around it.
struct StartSurroundings {
    std::function<bool()> stop;                          // the user wants it to end
    std::function<bool(std::uint16_t http_port)> ready;  // a server there says that it is ready
    std::function<void(std::uint64_t)> started;          // so many so far
};

// Starts servers of this very program, one after the other, and tells how long each took until it
// was ready, what it takes when idle, and how large the program is. Nothing of them stays. Errors:
// those of OwnServer::start() and describe_program().
[[nodiscard]] Result<void> run_start(Report& report, const StartSize& size,
                                     const StartSurroundings& around);

}  // namespace muster::cli::bench
