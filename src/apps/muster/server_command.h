#pragma once

#include <string>
#include <vector>

namespace muster::cli {

struct ServerOptions {
    std::string config_file;
    std::string data_dir;
    std::vector<std::string> overrides;  // "key=value"
};

// Runs the embedded registry until SIGINT or SIGTERM. Returns the exit status.
[[nodiscard]] int run_server(const ServerOptions& options);

}  // namespace muster::cli
