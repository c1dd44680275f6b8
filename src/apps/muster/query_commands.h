#pragma once

#include <string>

namespace muster::cli {

// What all commands that ask a registry have in common.
struct QueryOptions {
    std::string server = "127.0.0.1:9603";  // its HTTP port
    std::string output = "table";           // or "json"
};

struct ServicesOptions {
    QueryOptions query;
    std::string contains;
    unsigned limit = 1000;
};

struct ServiceOptions {
    QueryOptions query;
    std::string service;  // tenant/group/dataId, group/dataId or dataId
    std::string scope;    // empty: that of the zone if one is given, else dataCenter
    std::string zone;
};

struct FlappingOptions {
    QueryOptions query;
    unsigned limit = 1000;
};

// Each prints its answer to standard output, or an error in a sentence to standard error, and
// returns the exit status: 0 done, 1 the registry said no or was not reached, 2 wrong usage.
[[nodiscard]] int run_services(const ServicesOptions& options);
[[nodiscard]] int run_instances(const ServiceOptions& options);
[[nodiscard]] int run_subscribers(const ServiceOptions& options);
[[nodiscard]] int run_flapping(const FlappingOptions& options);
[[nodiscard]] int run_status(const QueryOptions& options);

}  // namespace muster::cli
