#include "sim/scenarios/churn.h"

#include <fmt/format.h>

namespace muster::sim {

SimClient* Churn::some_client() {
    std::vector<SimClient*> living;
    for (const auto& client : clients_) {
        if (client->alive()) {
            living.push_back(client.get());
        }
    }
    return living.empty() ? nullptr : living[prng_.below(living.size())];
}

Service Churn::some_service() {
    return {.data_id =
                fmt::format("service-{}", prng_.below(static_cast<std::uint64_t>(services_)) + 1)};
}

void Churn::act() {
    SimClient* client = some_client();
    if (client == nullptr || client->process().paused()) {
        return;
    }
    const auto& published = client->published();
    const auto& listeners = client->listeners();
    switch (prng_.below(10)) {
        case 0:
        case 1:
            if (published.size() < 5) {
                client->publish(some_service());
            }
            break;
        case 2:
        case 3:
        case 4:
        case 5:
            if (!published.empty()) {
                client->update(published[prng_.below(published.size())]);
            }
            break;
        case 6:
            if (!published.empty()) {
                client->withdraw(published[prng_.below(published.size())]);
            }
            break;
        case 7:
            if (listeners.size() < 4) {
                const auto scope = static_cast<Scope>(prng_.below(3));
                client->subscribe(some_service(), scope);
            }
            break;
        case 8:
            if (!listeners.empty()) {
                client->unsubscribe(listeners[prng_.below(listeners.size())]);
            }
            break;
        default:
            if (client->watched().empty()) {
                client->watch(fmt::format("switch-{}", prng_.below(2)));
            } else {
                client->unwatch(client->watched().front());
            }
    }
}

void Churn::begin(Scheduler& scheduler, Duration pace) {
    again(scheduler, pace, ++run_);
}

void Churn::again(Scheduler& scheduler, Duration pace, int run) {
    scheduler.after(pace, [this, &scheduler, pace, run] {
        if (run == run_) {
            act();
            again(scheduler, pace, run);
        }
    });
}

}  // namespace muster::sim
