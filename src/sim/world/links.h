#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "base/prng.h"
#include "msg/outbox.h"
#include "sim/world/cuts.h"
#include "sim/world/process.h"

namespace muster::sim {

// What happens to what processes are told of each other. Rates are per ten thousand events.
struct LinkFaults {
    std::uint64_t missing = 0;  // of `closed` and `silent`
    std::uint64_t late = 0;
    Duration late_max{};
};

// What every process is told of the others it may be connected to (all but a session of a
// session): `closed` some milliseconds after one was killed, or when one is dialled whose machine
// is there without it; `silent` after a second without a word (its machine is gone, it stands
// still, it is cut off); `up` soon after it can be talked to. Of changes only, in their order.
class Links {
public:
    static constexpr Duration kLook = std::chrono::milliseconds(100);
    static constexpr Duration kSilence = std::chrono::seconds(1);

    struct End {
        NodeId node;
        Process* process = nullptr;
        bool session_only = false;
        // Whether its machine runs, with or without the process.
        std::function<bool()> machine_runs;
        std::function<void(const NodeId& peer, msg::LinkEvent event)> tell;
    };

    Links(Scheduler& scheduler, Prng prng, const Cuts& cuts)
        : scheduler_(scheduler), prng_(prng), cuts_(cuts) {}

    void attach(End end);
    // Its connections were closed with it. Requires: it is dead, its machine runs.
    void on_killed(const NodeId& node);

    LinkFaults faults;

private:
    struct Sight {
        std::uint64_t life = 0;               // of the observer
        std::optional<msg::LinkEvent> told;   // nothing: not known yet
        std::optional<MonoTime> quiet_since;  // it could not be heard
        MonoTime last;                        // event on its way
    };

    void look();
    void look_from(const End& observer, const End& peer, Sight& sight);
    void say(const End& observer, const End& peer, Sight& sight, msg::LinkEvent event);
    [[nodiscard]] static bool linked(const End& one, const End& other);

    Scheduler& scheduler_;
    Prng prng_;
    const Cuts& cuts_;
    std::deque<End> ends_;                    // stable: events hold on to them
    std::vector<std::vector<Sight>> sights_;  // by place of the observer, then of the peer
};

}  // namespace muster::sim
