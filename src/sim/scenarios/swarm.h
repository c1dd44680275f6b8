#pragma once

#include <cstdint>
#include <string>

#include "base/prng.h"
#include "base/time.h"

namespace muster::sim {

// What may happen in one run: drawn once from its seed, each fault on or off for the whole run,
// then how often (Groce et al., "Swarm Testing", 2012: a run without some faults finds what a run
// with all of them hides). Rates: mean pause between two events of the kind; zero is never.
struct Swarm {
    bool embedded = false;
    int metas = 1;
    int data = 1;
    int sessions = 1;
    int copies = 1;
    int zones = 1;
    std::uint16_t slots = 8;
    int services = 4;
    int clients = 5;
    int native_percent = 50;
    bool brake = false;
    bool leases = false;  // a quarter of the clients publish by leases
    Duration storm{};     // length of the safety phase

    // per ten thousand messages
    std::uint64_t lost = 0;
    std::uint64_t doubled = 0;
    std::uint64_t late = 0;
    Duration late_max{};
    Duration sync_max = std::chrono::milliseconds(5);

    Duration act{};  // of all clients together
    Duration reset{};
    Duration crash{};
    Duration power_off{};
    Duration pause{};
    Duration cut{};
    Duration halves{};  // everything, clients too, falls into two halves
    Duration clock_jump{};
    Duration client_crash{};
    Duration client_lost{};
    Duration client_pause{};
    Duration congestion{};
    Duration config{};

    Duration balance_grace{};  // zero: as long as by default
    Duration session_added{};  // another session joins then

    std::size_t flips = 0;  // from so many on instances are damped; zero: none is
    Duration flap_hold{};   // until they stayed for so long
    Duration flap{};        // a client comes and goes

    std::size_t tell_batch = 0;  // as in data::TellLimits; zero: as by default
    std::size_t tell_window = 0;

    // Of a registry with one node for each role, or one in all.
    [[nodiscard]] static Swarm draw(Prng& prng);
    // Of up to 3 metas, 4 data servers, 3 sessions and 50 clients.
    [[nodiscard]] static Swarm draw_cluster(Prng& prng);
    // The same of just as many; all else is drawn as there.
    [[nodiscard]] static Swarm draw_full_cluster(Prng& prng);
    [[nodiscard]] std::string text() const;
};

}  // namespace muster::sim
