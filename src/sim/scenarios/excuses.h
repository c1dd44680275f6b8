#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sim/workloads/sim_client.h"
#include "sim/world/cuts.h"
#include "sim/world/pipes.h"
#include "sim/world/registry.h"

namespace muster::sim {

// Decides which clients' publications may disappear although they live, and says so in the book:
// see falsely_gone_checker.h.
class Excuses {
public:
    using Clients = std::vector<std::unique_ptr<SimClient>>;

    Excuses(const Registry& registry, const Pipes& pipes, const Cuts& cuts, Truth& truth,
            const Clients& clients)
        : registry_(registry), pipes_(pipes), cuts_(cuts), truth_(truth), clients_(clients) {}

    // A connection ended at a living session.
    void on_connection_ended(Node& session, PipeId pipe, ConnectionEnd how);
    // Now and then.
    void step();
    // Whose connection it is; null: nobody's.
    [[nodiscard]] SimClient* owner_of(PipeId pipe) const;

private:
    void judge(SimClient& client);
    void excuse_damped();
    [[nodiscard]] bool nodes_apart() const;
    [[nodiscard]] bool some_node_stands_still() const;
    [[nodiscard]] bool goes_on(const ServerLife& session) const;
    // Notes it when the session that has its connection could tell all data servers of it: it
    // neither stands still nor is cut off.
    void listen(const SimClient& client);
    // Whether it moved, or its session ended, and the one that has it now could not tell yet.
    [[nodiscard]] bool unheard_of(const SimClient& client) const;
    [[nodiscard]] bool left_behind(const SimClient& client) const;
    [[nodiscard]] bool late(const SimClient& client) const;
    const Registry& registry_;
    const Pipes& pipes_;
    const Cuts& cuts_;
    Truth& truth_;
    const Clients& clients_;
    std::set<std::string> away_;           // excused, and not back yet
    std::map<std::string, PipeId> heard_;  // by client: the connection of which all could hear
    // By client: for how long a life of a session keeps its publications without it, and how long
    // that life had run when it began to.
    struct Kept {
        ServerLife session;
        Duration ran{};
        Duration grace{};
    };
    std::map<std::string, Kept> kept_;
};

}  // namespace muster::sim
