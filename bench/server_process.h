#pragma once

#include <cstdint>
#include <string>

#include <sys/types.h>

#include "base/time.h"

namespace muster::bench {

// A `muster server` of its own, on free loopback ports and in a data folder of its own; both end
// with the object.
class ServerProcess {
public:
    // Starts it and waits until /health/ready says so. Ends the program when it does not.
    ServerProcess();
    ~ServerProcess();
    ServerProcess(const ServerProcess&) = delete;
    ServerProcess& operator=(const ServerProcess&) = delete;

    [[nodiscard]] std::uint16_t bolt_port() const {
        return bolt_port_;
    }
    [[nodiscard]] Duration time_to_ready() const {
        return time_to_ready_;
    }
    // Resident memory and CPU time so far, from /proc.
    [[nodiscard]] std::uint64_t rss_bytes() const;
    [[nodiscard]] double cpu_seconds() const;

    // The program that is started: `muster` beside this one.
    [[nodiscard]] static std::string program();

private:
    pid_t pid_ = -1;
    std::uint16_t bolt_port_ = 0;
    std::uint16_t http_port_ = 0;
    std::string folder_;
    Duration time_to_ready_{};
};

[[nodiscard]] Duration now();

}  // namespace muster::bench
