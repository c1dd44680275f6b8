#pragma once

#include <cstddef>
#include <vector>

#include "sim/scale/scale_size.h"

namespace muster::bench {

// How much work: all of it, or just enough to see that it still runs.
struct Effort {
    std::size_t latency_rounds = 20'000;
    std::vector<std::size_t> fanout_connections{5000, 9500};
    std::size_t fanout_rounds = 40;
    std::size_t publications = 100'000;
    std::size_t registration_rounds = 5;  // each of so many publications, in processes of its own
    std::size_t many_publications = 1'000'000;
    std::size_t subscribing_connections = 2000;
    std::size_t subscription_rounds = 20;
    std::size_t long_list = 10'000;  // instances
    std::size_t long_list_rounds = 20;
    std::vector<std::size_t> counted_publications{10'000, 100'000, 1'000'000};
    std::size_t counted_changes = 1000;
    std::size_t starts = 20;
    std::size_t trials = 20;  // of each fault
    std::size_t storm_clients = 5000;
    std::size_t storm_instances = 1000;  // of the service that restarts
    std::size_t storm_step = 5;          // so many at a time
    std::size_t storm_subscribers = 2000;
    std::size_t storm_flaps = 500;
    // From small to large.
    std::vector<sim::ScaleSize> simulated_sizes{
        {.data = 6, .sessions = 30}, {.data = 20, .sessions = 100}, {.data = 60, .sessions = 300}};
    std::size_t simulated_publications_max = 10'000'000;
    double simulated_cpu_s_max = 60;  // to publish them
    bool judge = true;                // report bounds

    [[nodiscard]] static Effort tiny() {
        return {.latency_rounds = 50,
                .fanout_connections = {20},
                .fanout_rounds = 3,
                .publications = 2000,
                .registration_rounds = 1,
                .many_publications = 4000,
                .subscribing_connections = 5,
                .subscription_rounds = 2,
                .long_list = 200,
                .long_list_rounds = 2,
                .counted_publications = {1000, 2000},
                .counted_changes = 100,
                .starts = 1,
                .trials = 1,
                .storm_clients = 50,
                .storm_instances = 20,
                .storm_subscribers = 20,
                .storm_flaps = 30,
                .simulated_sizes = {{.data = 4, .sessions = 4}, {.data = 4, .sessions = 20}},
                .simulated_publications_max = 20'000,
                .judge = false};
    }
};

}  // namespace muster::bench
