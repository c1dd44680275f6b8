#pragma once

#include <string>

#include "apps/muster/query_commands.h"

namespace muster::cli {

struct DrainOptions {
    QueryOptions query;
    std::string service;
    std::string address;  // ip:port
    std::string timeout = "30s";
    std::string ramp = "30s";
    std::string asked_by;  // empty: who runs this
};

// Takes an instance out of all lists and waits until every subscriber acknowledged that. Returns
// the exit status: 0 it is in nobody's list, 1 refused or not reached, 3 somebody has not
// acknowledged in time, or could not be asked.
int run_drain(const DrainOptions& options);
// Shows it again.
int run_restore(const DrainOptions& options);

}  // namespace muster::cli
