#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/prng.h"
#include "sim/workloads/sim_client.h"
#include "sim/world/scheduler.h"

namespace muster::sim {

// Clients that publish, update, withdraw, subscribe, unsubscribe and watch, one random wish of one
// random living client at a time.
class Churn {
public:
    using Clients = std::vector<std::unique_ptr<SimClient>>;

    Churn(const Clients& clients, int services, Prng prng)
        : clients_(clients), services_(services), prng_(prng) {}

    // Null: none lives.
    [[nodiscard]] SimClient* some_client();
    [[nodiscard]] Service some_service();
    void act();

    // Acts again and again, `pace` apart, until stopped. Must outlive that.
    void begin(Scheduler& scheduler, Duration pace);
    void stop() {
        ++run_;
    }

private:
    void again(Scheduler& scheduler, Duration pace, int run);

    const Clients& clients_;
    int services_;
    Prng prng_;
    int run_ = 0;
};

}  // namespace muster::sim
