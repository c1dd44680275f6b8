#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/service.h"
#include "sockets.h"

namespace muster::bench {

// One native client that subscribes to many services and acknowledges what it is shown.
class Watcher {
public:
    explicit Watcher(std::uint16_t port) : connection_(port) {}

    // Returns when a list of each was shown.
    void subscribe(const std::vector<Service>& services);

    // Takes and acknowledges what is there, without waiting.
    void drain();

    // Pushes so far.
    [[nodiscard]] std::uint64_t shown() const {
        return shown_;
    }

private:
    Connection connection_;
    std::uint64_t shown_ = 0;
    std::uint64_t subscriptions_ = 0;
};

}  // namespace muster::bench
