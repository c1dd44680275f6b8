#pragma once

#include <cstddef>

#include "base/time.h"

namespace muster::session {

struct PushOptions {
    // A push that is not acknowledged for so long is given up and sent anew.
    Duration timeout = std::chrono::seconds(5);
    // A client that acknowledges nothing of a list for so long is closed; zero: never.
    Duration silent_max = std::chrono::minutes(5);
    // So many updates are sent in one turn, others in the next ones.
    std::size_t updates_at_once = 1024;
};

}  // namespace muster::session
