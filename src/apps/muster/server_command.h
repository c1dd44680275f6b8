#pragma once

#include <string>
#include <vector>

namespace muster::cli {

struct ServerOptions {
    std::string config_file;
    // Short for keys of the configuration; empty: not given.
    std::string data_dir;
    std::string roles;
    std::string node_id;
    std::string join;
    std::vector<std::string> overrides;  // "key=value"
};

// Runs one node, by default a registry of its own, until SIGINT or SIGTERM. Returns the exit
// status.
[[nodiscard]] int run_server(const ServerOptions& options);

}  // namespace muster::cli
