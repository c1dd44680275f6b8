#pragma once

#include <cstdint>
#include <string>

#include "apps/muster/query_commands.h"

namespace muster::cli {

struct HistoryOptions {
    QueryOptions query;
    std::string service;
    std::string address;  // empty: all instances
    std::string since;    // empty: all that is kept
    std::string until;    // empty: up to now
    std::uint32_t limit = 100;
};

// What became of a service's instances, and why. Returns the exit status: 0 all data servers
// answered, 1 it could not be asked, 3 one did not answer or keeps no history.
int run_history(const HistoryOptions& options);

}  // namespace muster::cli
