#pragma once

#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sim/scenarios/world.h"

namespace muster::sim {

enum class Roles : std::uint8_t { apart, together };

// A small world told step by step: "provider publishes, server is killed, ...". Time passes only
// where the story says so, and every checker watches throughout.
class Story {
public:
    explicit Story(Roles roles, std::uint64_t seed = 1,
                   Duration sync_max = RegistryOptions{}.sync_max);
    // Of a whole cluster.
    explicit Story(const RegistryOptions& registry, std::uint64_t seed = 1);

    SimClient& client(ClientKind kind, const std::string& zone = "zone-a");
    void wait(Duration how_long) {
        world.run(how_long);
    }

    [[nodiscard]] Node& node(const std::string& name) {
        return world.registry.node(name);
    }
    // The first node of a role: all roles when they live together.
    void kill(Role role, Death how = Death::killed) {
        world.registry.kill(role, how);
    }
    void restart(Role role) {
        world.registry.start(role);
    }
    void kill_all(Death how = Death::killed);
    void restart_all() {
        world.registry.start_all();
    }
    // The wall clock of every machine of the registry is set.
    void move_clocks(Duration by);

    // What the first subscription of `who` shows now.
    [[nodiscard]] std::set<std::string> seen_by(const SimClient& who) const;
    // All that any subscription of `who` was ever shown.
    [[nodiscard]] std::set<std::string> ever_seen_by(const SimClient& who) const;
    // Empty: every view is as it should be now.
    [[nodiscard]] std::string differs() const;
    // Time passes until every view is as it should be, at most so long. Returns how long.
    Duration wait_until_equal(Duration at_most);
    // The clients connected to a session.
    [[nodiscard]] std::vector<SimClient*> clients_of(const std::string& session) const;

    // Empty: no invariant was broken so far.
    [[nodiscard]] std::string broken() const;
    // The same after everything had time to converge and was judged at rest.
    [[nodiscard]] std::string broken_at_rest();

    World world;

private:
    class Memory final : public Checker {
    public:
        using Checker::Checker;
        void on_shown(const Listener& listener, const Shown* before, const Shown& now) override;
        std::map<std::string, std::set<std::string>> ids;  // by client
    };
    Memory memory_{world.truth};
};

}  // namespace muster::sim
