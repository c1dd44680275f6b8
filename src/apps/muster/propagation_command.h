#pragma once

#include <cstdint>
#include <string>

#include "apps/muster/query_commands.h"

namespace muster::cli {

struct PropagationOptions {
    QueryOptions query;
    std::string service;
    std::uint32_t limit = 100;
    bool stages = false;
    std::string measure = "10m";  // from now on, with `stages`
};

// Who has the newest version of a service, who is behind and by how much; how long its changes take
// from stage to stage, as measured since that was asked first. Returns the exit status:
// 0 everybody who was asked has it, 1 it could not be asked, 3 somebody is behind or did not
// answer.
int run_propagation(const PropagationOptions& options);

}  // namespace muster::cli
