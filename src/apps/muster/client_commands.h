#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace muster::cli {

// What commands that stay connected have in common.
struct ClientOptions {
    std::string servers = "127.0.0.1:9600";  // bolt addresses, or http://host:9603
    std::string zone;
    std::string output = "table";  // or "json": one object a line
};

struct PublishOptions {
    ClientOptions client;
    std::string service;
    std::string address;  // "ip:port"
    std::uint32_t weight = 100;
    std::string app;
    std::vector<std::string> metadata;  // "key=value"
    double seconds = 0;                 // zero: until a signal
};

struct WatchOptions {
    ClientOptions client;
    std::string service;
    std::string scope = "dataCenter";
    std::uint32_t count = 0;  // lists to show; zero: until a signal
};

// Registers an endpoint and keeps it registered until SIGINT or SIGTERM (or the time is over), then
// unregisters it. Returns the exit status.
[[nodiscard]] int run_publish(const PublishOptions& options);

// Prints the list of a service and every change of it until SIGINT or SIGTERM. Returns the exit
// status.
[[nodiscard]] int run_watch(const WatchOptions& options);

}  // namespace muster::cli
