#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "server_process.h"

namespace muster::bench {

// Two processes on free loopback ports: one with all roles, which clients speak to, and a data
// server. Each leads half of the slots and follows the other half, so that every publication is in
// both. They end with the object.
class ServerPair {
public:
    // Starts both and waits until every slot has a leader and a follower in step. Ends the program
    // when that does not come.
    ServerPair();

    [[nodiscard]] std::uint16_t bolt_port() const {
        return first_.bolt_port();
    }
    // Of both.
    [[nodiscard]] double cpu_seconds() const {
        return first_.cpu_seconds() + second_.cpu_seconds();
    }
    [[nodiscard]] std::uint64_t rss_bytes() const {
        return first_.rss_bytes() + second_.rss_bytes();
    }
    // The sum of a metric over both.
    [[nodiscard]] double metric(std::string_view name) const;

    // Until followers hold so many publications, led by the other process. Ends the program when
    // they do not.
    void await_followed(std::size_t publications) const;

private:
    std::uint16_t peer_port_;
    ServerProcess first_;
    ServerProcess second_;
};

}  // namespace muster::bench
