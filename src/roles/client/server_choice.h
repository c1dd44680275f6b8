#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/prng.h"
#include "base/time.h"

namespace muster::client {

// Which server is tried next: all of them in a random order, one after another, then in another
// order. Loop thread only.
class ServerChoice {
public:
    ServerChoice(std::vector<std::string> configured, std::size_t servers_max, Prng& prng);

    void configure(std::vector<std::string> servers);
    // What a server told: tried besides the configured ones. Over the bound: a random sample.
    void learn(std::vector<std::string> servers);

    // Empty when no server is known.
    [[nodiscard]] std::string next();

private:
    void rebuild();
    void shuffle(std::vector<std::string>& servers);

    std::size_t servers_max_;
    Prng& prng_;
    std::vector<std::string> configured_;
    std::vector<std::string> learnt_;
    std::vector<std::string> order_;
    std::size_t position_ = 0;
};

// How long to wait before attempt number `attempt` (0: the first after a loss). See ClientOptions.
struct RetryOptions {
    Duration first_spread;
    Duration base;
    Duration max;
};
[[nodiscard]] Duration retry_delay(const RetryOptions& options, std::uint32_t attempt, Prng& prng);

}  // namespace muster::client
