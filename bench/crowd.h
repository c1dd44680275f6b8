#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <sys/epoll.h>

#include "sockets.h"

namespace muster::bench {

// Many connections read by one epoll loop, as a client machine would.
class Crowd {
public:
    Crowd(std::uint16_t port, std::size_t count);
    ~Crowd();
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;

    // Connects until there are `count`.
    void grow(std::size_t count);

    [[nodiscard]] Connection& at(std::size_t i) {
        return *connections_[i];
    }
    [[nodiscard]] std::size_t size() const {
        return connections_.size();
    }

    // Lets every connection read until `take` (number of the connection, frame) has said true
    // `wanted` times. Ends the program when nothing comes for a minute.
    template <typename Take>
    void read_until(std::size_t wanted, const Take& take) {
        std::array<epoll_event, 512> events;
        std::size_t seen = 0;
        while (seen < wanted) {
            const int ready =
                ::epoll_wait(poll_, events.data(), static_cast<int>(events.size()), 60'000);
            if (ready <= 0) {
                die(std::to_string(wanted - seen) + " frames did not arrive in a minute");
            }
            for (int e = 0; e < ready; ++e) {
                const std::size_t i = events[static_cast<std::size_t>(e)].data.u64;
                at(i).drain([&](const bolt::Frame& frame) { seen += take(i, frame) ? 1 : 0; });
            }
        }
    }

private:
    std::uint16_t port_;
    int poll_;
    std::vector<std::unique_ptr<Connection>> connections_;
};

}  // namespace muster::bench
