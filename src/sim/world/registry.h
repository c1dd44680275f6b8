#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/world/node.h"

namespace muster::sim {

struct RegistryOptions {
    bool embedded = false;  // all roles in one process; else each process has one role:
    int metas = 1;          // more than one agree by Raft
    int data = 1;
    int sessions = 1;
    std::uint16_t slots = 8;
    int copies = 1;  // of a slot, the leader's included
    int zones = 1;   // the nodes of each role are dealt out to so many
    Duration sync_max = std::chrono::milliseconds(5);
    bool brake = true;  // too many ends at once are held
    session::BalancerOptions balance;
    session::FlapDampingOptions flap_damping{.flips = 0};  // none
    std::size_t requests_at_once = 4;  // by a session; few, so that some wait in most runs
    std::size_t updates_at_once = 4;   // the same
    data::TellLimits tells;
    session::RateLimit client_subscribes = session::SessionOptions{}.client_subscribes;
};

// The registry under test: meta-1.., data-1.., session-1.., or the one node "registry".
class Registry {
public:
    // So long the brake holds what is not heard again.
    static constexpr Duration kSuspectPatience = std::chrono::seconds(60);

    Registry(const RegistryOptions& options, NodeWorld world, Prng prng);

    [[nodiscard]] const RegistryOptions& options() const {
        return options_;
    }
    // All of them, and those that have a role; in a stable order.
    [[nodiscard]] std::vector<Node*> nodes() const;
    [[nodiscard]] std::vector<Node*> nodes(Role role) const;
    // Requires: there is one.
    [[nodiscard]] Node& node(const std::string& name) const;
    // The first one of a role.
    [[nodiscard]] Node& node(Role role) const {
        return *nodes(role).front();
    }
    void start_all();
    // Whether any brake holds publications whose clients are probably gone.
    [[nodiscard]] bool holds_suspects() const;
    // Whether a session keeps what clients published that it sent elsewhere.
    [[nodiscard]] bool holds_departed() const;

    // Adds a node to the running registry, not started.
    Node& add(Role role);

    // ---- of the first node of a role
    void start(Role role) {
        node(role).start();
    }
    void kill(Role role, Death how) {
        node(role).kill(how);
    }
    void pause(Role role, Duration how_long) {
        node(role).pause(how_long);
    }
    [[nodiscard]] Process& process(Role role) {
        return node(role).process();
    }
    [[nodiscard]] session::SessionServer* session() {
        return node(Role::session).session();
    }
    [[nodiscard]] data::DataServer* data() {
        return node(Role::data).data();
    }
    [[nodiscard]] meta::MetaServer* meta() {
        return node(Role::meta).meta();
    }
    [[nodiscard]] Door* door(const std::string& name) {
        return node(Role::session).door(name);
    }
    [[nodiscard]] env::MemoryDisk& session_folder() {
        return node(Role::session).folder(Role::session);
    }

    // Told of every connection that ends at a living session.
    std::function<void(Node&, PipeId, ConnectionEnd)> on_connection_ended = [](Node&, PipeId,
                                                                               ConnectionEnd) {};
    // Told of everything that a data role notes.
    std::function<void(Node&, const history::Note&)> on_noted = [](Node&, const history::Note&) {};

private:
    Node& add(const std::vector<Role>& roles, const std::string& name);

    RegistryOptions options_;
    NodeWorld world_;
    Prng prng_;
    std::vector<NodeId> metas_;
    std::vector<std::unique_ptr<Node>> nodes_;
    std::map<Role, int> count_;
};

}  // namespace muster::sim
