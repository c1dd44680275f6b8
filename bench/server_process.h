#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "process.h"

namespace muster::bench {

// A `muster server` of its own, on free loopback ports and in a data folder of its own; both end
// with the object.
class ServerProcess {
public:
    // Starts it with these settings (key=value) and waits until /health/ready says so. Ends the
    // program when it does not.
    explicit ServerProcess(const std::vector<std::string>& settings = {});
    ~ServerProcess();
    ServerProcess(const ServerProcess&) = delete;
    ServerProcess& operator=(const ServerProcess&) = delete;

    [[nodiscard]] std::uint16_t bolt_port() const {
        return bolt_port_;
    }
    [[nodiscard]] std::uint16_t http_port() const {
        return http_port_;
    }
    [[nodiscard]] std::string metrics() const;
    [[nodiscard]] Duration time_to_ready() const {
        return time_to_ready_;
    }
    [[nodiscard]] std::uint64_t rss_bytes() const {
        return process_->rss_bytes();
    }
    [[nodiscard]] std::uint64_t peak_rss_bytes() const {
        return process_->peak_rss_bytes();
    }
    [[nodiscard]] double cpu_seconds() const {
        return process_->cpu_seconds();
    }

private:
    TempFolder folder_;
    std::uint16_t bolt_port_ = 0;
    std::uint16_t http_port_ = 0;
    std::unique_ptr<Process> process_;
    Duration time_to_ready_{};
};

}  // namespace muster::bench
