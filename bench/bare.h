#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

namespace muster::bench {

// What the kernel allows, as processes of their own: the limits that figures are compared with.

// Copies what arrives on its first connection to its second one: two hops from a publisher to a
// subscriber with nothing in between.
class BareRelay {
public:
    BareRelay();
    ~BareRelay();
    BareRelay(const BareRelay&) = delete;
    BareRelay& operator=(const BareRelay&) = delete;
    [[nodiscard]] std::uint16_t port() const {
        return port_;
    }

private:
    pid_t pid_ = -1;
    std::uint16_t port_ = 0;
};

// Accepts `connections`, then one more: for each byte that comes on that one, a loop of write()
// sends `message` to all the others. What they send is read and dropped.
class BareFanout {
public:
    BareFanout(std::size_t connections, std::string message);
    ~BareFanout();
    BareFanout(const BareFanout&) = delete;
    BareFanout& operator=(const BareFanout&) = delete;
    [[nodiscard]] std::uint16_t port() const {
        return port_;
    }

private:
    pid_t pid_ = -1;
    std::uint16_t port_ = 0;
};

}  // namespace muster::bench
