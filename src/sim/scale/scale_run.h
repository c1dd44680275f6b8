#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/scale/scale_size.h"
#include "sim/scale/session_clients.h"
#include "sim/scale/traffic.h"
#include "sim/world/cuts.h"
#include "sim/world/links.h"
#include "sim/world/network.h"
#include "sim/world/pipes.h"
#include "sim/world/registry.h"

namespace muster::sim {

// A large cluster without faults: the real roles of every node in virtual time, under load that is
// counted, not drawn. Each publication is in memory as often as in a real cluster (at its session,
// its leader, its followers), but for its text, which all share.
class ScaleRun {
public:
    static constexpr std::uint64_t kSlots = kDefaultSlotCount;
    static constexpr int kCopies = 3;
    // Sessions that are told of each watched service.
    static constexpr int kWatching = 3;

    explicit ScaleRun(const ScaleSize& size);

    // Until every slot has all its copies. What was not reached in time, or nothing.
    [[nodiscard]] std::string start();

    // So many more publications, dealt out to the sessions; until leaders and followers have them.
    // What is missing in the end, or nothing.
    [[nodiscard]] std::string publish(std::uint64_t count);

    // The first services, so many more, are watched from now on. Requires: they are published.
    void watch(std::uint64_t services);

    // What is said while nothing happens.
    [[nodiscard]] TrafficReport rest(Duration window);

    // Publications of watched services change, `count` times, evenly in the window. What is missing
    // in the end is in differs(). Requires: watch().
    [[nodiscard]] TrafficReport change(std::uint64_t count, Duration window);

    // What leaders, followers or subscribers lack; empty: nothing.
    [[nodiscard]] std::string differs() const;

    [[nodiscard]] std::uint64_t publications() const {
        return published_;
    }

private:
    void run(Duration how_long);
    [[nodiscard]] bool placed() const;
    [[nodiscard]] bool held() const;
    [[nodiscard]] SessionClients& home_of(std::uint64_t publication) {
        return *clients_[publication % clients_.size()];
    }
    // Of the n-th session that watches it, from 0.
    [[nodiscard]] std::size_t watcher_of(std::uint64_t service, int n) const;

    Scheduler scheduler_;
    Trace trace_{false};
    Cuts cuts_;
    Network network_;
    Links links_;
    Pipes pipes_;
    Registry registry_;
    Traffic traffic_;
    std::vector<std::unique_ptr<SessionClients>> clients_;  // by session
    std::uint64_t published_ = 0;
    std::uint64_t watched_ = 0;         // services
    std::vector<std::int64_t> states_;  // of publications of watched services
    std::uint64_t changed_ = 0;
};

}  // namespace muster::sim
