#pragma once

#include <cstdint>
#include <string>

#include "apps/muster/query_commands.h"

namespace muster::cli {

struct MoveOptions {
    QueryOptions query;
    unsigned slot = 0;
    std::string to;  // node id of a data server
};

struct RemoveOptions {
    QueryOptions query;
    std::string node;
    std::string role = "data";  // or "session"
};

struct BrakeOptions {
    QueryOptions query;
    std::string scope;     // session, service or cluster
    std::string name;      // of the session (node id) or service
    std::string asked_by;  // empty: who runs this
};

// What operators see of a cluster and tell it, through the HTTP port of any of its nodes. Each
// prints its answer, or an error in a sentence to standard error, and returns the exit status.
[[nodiscard]] int run_members(const QueryOptions& options);
[[nodiscard]] int run_remove_member(const RemoveOptions& options);
[[nodiscard]] int run_slots(const QueryOptions& options);
[[nodiscard]] int run_move_slot(const MoveOptions& options);
// What the brake holds, and what becomes of it.
[[nodiscard]] int run_brake(const QueryOptions& options);
[[nodiscard]] int run_decide(const BrakeOptions& options, const std::string& action);
// `mode`: automatic, stopped or forced.
[[nodiscard]] int run_place(const QueryOptions& options, const std::string& mode);

}  // namespace muster::cli
