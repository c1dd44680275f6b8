#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "env/memory_disk.h"
#include "raft/raft_node.h"
#include "raft/single_node.h"
#include "roles/data/data.h"
#include "roles/meta/meta.h"
#include "roles/session/session.h"
#include "sim/world/door.h"
#include "sim/world/links.h"
#include "sim/world/network.h"
#include "sim/world/notebook.h"
#include "sim/world/pipes.h"
#include "sim/world/process.h"
#include "sim/world/sim_disk.h"

namespace muster::sim {

// How a process ends.
enum class Death : std::uint8_t {
    killed,     // kill -9: peers see their connections close
    power_off,  // the machine with it: nobody is told, what was not synced is torn
};

// One process of the registry and what it is told by its operator.
struct NodePlan {
    NodeId id;
    std::vector<Role> roles;
    std::vector<NodeId> metas;
    std::string zone;
    std::string client_address;  // of its session
    std::string data_address;
    std::string peer_address;
    std::uint64_t folder = 0;
    std::uint16_t slots = 0;
    int copies = 1;  // of a slot, the leader's included
    Duration sync_max{};
    bool brake = true;
    session::BalancerOptions balance;
    session::FlapDampingOptions flap_damping;
    std::size_t requests_at_once = 0;
    std::size_t updates_at_once = 0;
    data::TellLimits tells;
    session::RateLimit client_subscribes;
};

// What surrounds it.
struct NodeWorld {
    Scheduler& scheduler;
    Trace& trace;
    Network& network;
    Links& links;
    Pipes& pipes;
};

// One process of the registry on a machine of its own: the real roles, their folders, which outlive
// it, and its doors.
class Node final : private LogSink {
public:
    Node(NodePlan plan, NodeWorld world, Prng prng);
    ~Node() override;

    void start();
    void kill(Death how);
    void pause(Duration how_long) {
        process_.pause(how_long);
    }

    [[nodiscard]] const NodePlan& plan() const {
        return plan_;
    }
    [[nodiscard]] bool has(Role role) const;
    [[nodiscard]] Process& process() {
        return process_;
    }
    // When its last life ended; nothing while none has.
    [[nodiscard]] std::optional<MonoTime> ended() const {
        return ended_;
    }
    // Whether the last life ended together with the machine.
    [[nodiscard]] bool machine_lost() const {
        return machine_lost_;
    }

    // Null while the process is dead or has no such role.
    [[nodiscard]] session::SessionServer* session();
    [[nodiscard]] data::DataServer* data();
    [[nodiscard]] meta::MetaServer* meta();
    [[nodiscard]] Door* door(const std::string& name);

    // A role's own folder.
    [[nodiscard]] env::MemoryDisk& folder(Role role) {
        return folders_[role];
    }

    // Told of every connection that ends at the living session.
    std::function<void(Node&, PipeId, ConnectionEnd)> on_connection_ended = [](Node&, PipeId,
                                                                               ConnectionEnd) {};
    // Told of everything that its data role notes.
    std::function<void(Node&, const history::Note&)> on_noted = [](Node&, const history::Note&) {};

private:
    struct MetaLife;
    struct DataLife;
    struct SessionLife;

    void write(LogLevel level, std::string_view event,
               std::initializer_list<LogField> fields) override;
    void begin(Role role);
    void attach();
    void crash(env::MemoryDisk& folder, std::size_t torn_bytes);
    void tell_roles(const NodeId& peer, msg::LinkEvent event);
    [[nodiscard]] raft::RaftNode* raft();

    NodePlan plan_;
    NodeWorld world_;
    Prng prng_;
    Process process_;
    std::map<Role, env::MemoryDisk> folders_;
    Notebook notebook_{process_};
    std::uint64_t boots_ = 1;
    std::optional<MonoTime> ended_;
    bool machine_lost_ = false;
    std::unique_ptr<MetaLife> meta_;
    std::unique_ptr<DataLife> data_;
    std::unique_ptr<SessionLife> session_;
};

}  // namespace muster::sim
