#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "base/time.h"
#include "env/net.h"
#include "msg/node_meta.h"
#include "roles/session/balance_plan.h"

namespace muster::session {

struct BalancerOptions {
    bool enabled = true;
    BalanceLimits limits;
    // Members have not changed, and a client that is moved has been here, for so long.
    Duration grace = std::chrono::seconds(60);
    Duration pace = std::chrono::seconds(1);
    // Of the clients here, each second; one at least.
    std::size_t percent_per_second = 2;
    // A client that was asked to go, and did not, is counted as ours again.
    Duration ask_again = std::chrono::seconds(10);
    // Without word of the metas for so long nobody is moved.
    Duration metas_silent = std::chrono::seconds(2);
    // How long a client that was closed may be on its way to another session; what it published is
    // kept so long. A Java client takes up to 10 s.
    Duration journey = std::chrono::seconds(15);
    // The same of one that was asked to go: until the other session has told the leader of it.
    Duration parting = std::chrono::seconds(1);
};

// Sends clients of a session that has too many to those that have too few, a few at a time, once it
// is known that nothing else is going on:
//
//              members quiet for `grace`,                 few enough, or
//              no trouble, too many          a step       somebody in trouble
//     resting ------------------------> moving (each pace) ---------------> resting
//
// Those that follow hints are asked to go and do so without a gap, the others are closed and come
// back to whom they choose. Decides only; the session carries it out. Loop thread only. Bounds: an
// entry for each client that was sent away and is still here.
class Balancer {
public:
    struct Guest {
        env::ConnId conn;
        bool follows_hints = false;
        MonoTime since;  // when it came
    };
    struct Step {
        std::vector<std::pair<env::ConnId, NodeId>> ask;
        std::vector<env::ConnId> close;
    };

    Balancer(BalancerOptions options, NodeId self, Prng prng)
        : options_(options), self_(std::move(self)), prng_(prng) {}

    // Something happened after which nobody is moved for a grace: other members, a pause of ours.
    void disturbed(MonoTime now);

    // Whether a step is due; if so it counts as done now. `trouble`: nobody is to be moved.
    [[nodiscard]] bool due(bool trouble, MonoTime now);

    // How many of the `clients` here should go now. `sessions`: those that clients can be sent to,
    // and this one, as they told.
    [[nodiscard]] std::size_t plan(std::size_t clients,
                                   const std::vector<msg::ClientLoad>& sessions, MonoTime now);
    // Who goes, of those that may: drawn at random. `guests` in a stable order; `idle` tells
    // whether nothing is in flight for one that would be closed.
    [[nodiscard]] Step choose(std::size_t away, std::vector<Guest> guests,
                              const std::function<bool(env::ConnId)>& idle, MonoTime now);

    // For how long the client, whose connection ends now, may be on its way to where it was sent;
    // zero when it was not sent away. Who was asked to go is there before it leaves here.
    [[nodiscard]] Duration journey(env::ConnId conn) const {
        const auto sent = sent_.find(conn);
        return sent == sent_.end()   ? Duration{}
               : sent->second.closed ? options_.journey
                                     : options_.parting;
    }
    void forget(env::ConnId conn) {
        sent_.erase(conn);
    }
    [[nodiscard]] bool moving() const {
        return moving_;
    }

private:
    [[nodiscard]] std::uint64_t total(const std::vector<msg::ClientLoad>& sessions, MonoTime now);
    [[nodiscard]] NodeId draw();

    BalancerOptions options_;
    NodeId self_;
    Prng prng_;
    std::optional<MonoTime> quiet_since_;
    MonoTime stepped_;
    bool moving_ = false;
    struct Sent {
        MonoTime at;
        bool closed = false;
    };
    std::map<env::ConnId, Sent> sent_;      // clients that are still here
    std::vector<BalancePlan::Room> rooms_;  // of the last plan, less who was sent there
    std::deque<std::pair<MonoTime, std::uint64_t>> totals_;  // falling, of the last journey
};

}  // namespace muster::session
