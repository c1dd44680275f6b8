#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "base/time.h"
#include "msg/outbox.h"
#include "raft/raft_node.h"
#include "sim/world/cuts.h"
#include "sim/world/process.h"

namespace muster::sim {

// What the network does to messages between processes. Rates are per ten thousand messages.
struct NetworkFaults {
    std::uint64_t lost = 0;
    std::uint64_t doubled = 0;
    std::uint64_t late = 0;  // overtaken by what is sent after it
    Duration late_max{};
    Duration delay_min = std::chrono::microseconds(50);
    Duration delay_max = std::chrono::milliseconds(2);
};

// Told of everything that goes from one process to another, as it is sent.
class NetworkObserver {
public:
    virtual ~NetworkObserver() = default;
    virtual void on_sent(const msg::RoleAddress& from, const msg::RoleAddress& to,
                         const msg::ClusterMessage& message) = 0;
    virtual void on_raft_sent(const NodeId& from, const NodeId& to, std::string_view bytes) = 0;
};

// Carries messages between roles, and the metas' Raft messages: within a process in order and at
// once, between processes as the faults and cuts say. What is on its way when a process dies
// reaches its next life.
class Network {
public:
    Network(Scheduler& scheduler, Trace& trace, Prng prng, const Cuts& cuts)
        : scheduler_(scheduler), trace_(trace), prng_(prng), cuts_(cuts) {}

    // Says where a role lives. `receiver` gives the role of the running life, null when there is
    // none.
    void attach(const msg::RoleAddress& at, Process& process,
                std::function<msg::Receiver*()> receiver);
    // The same for a node's part in the consensus.
    void attach_raft(const NodeId& node, Process& process,
                     std::function<raft::RaftNode*()> receiver);

    void send(const msg::RoleAddress& from, const msg::RoleAddress& to,
              msg::ClusterMessage message);
    void send_raft(const NodeId& from, const NodeId& to, std::string bytes);

    // What a scenario wants to happen to the next message of a kind: it is lost, waits for
    // release(), or arrives and is kept to arrive once more at release().
    enum class Fate : std::uint8_t { lost, held, doubled };
    template <typename Message>
    void next(Fate fate) {
        fates_[msg::ClusterMessage(Message{}).index()].push_back(fate);
    }
    // Delivers what was held, in the order it was sent.
    void release();
    // The next message of a kind arrives as `alter` leaves it.
    template <typename Message>
    void alter_next(std::function<void(Message&)> alter) {
        alters_[msg::ClusterMessage(Message{}).index()].push_back(
            [alter = std::move(alter)](msg::ClusterMessage& message) {
                alter(std::get<Message>(message));
            });
    }

    NetworkFaults faults;
    NetworkObserver* observer = nullptr;

private:
    using Shared = std::shared_ptr<const msg::ClusterMessage>;
    struct Place {
        Process* process = nullptr;
        Channel channel = 0;  // of what comes from here, at each receiver
        std::function<msg::Receiver*()> receiver;
    };

    struct RaftPlace {
        Process* process = nullptr;
        Channel channel = 0;
        std::function<raft::RaftNode*()> receiver;
    };

    // Hands `event` to `to` as the faults say; false: it is lost.
    bool carry(const Process& from, Process& to, Channel channel,
               const std::function<void()>& event);
    void arrive(const msg::RoleAddress& from, const msg::RoleAddress& to, const Shared& message);
    // Whether the message goes on its way as well.
    bool meet_fate(const msg::RoleAddress& from, const msg::RoleAddress& to, const Shared& message,
                   Process& process);
    [[nodiscard]] Duration delay();

    Scheduler& scheduler_;
    Trace& trace_;
    Prng prng_;
    const Cuts& cuts_;
    std::map<msg::RoleAddress, Place> places_;
    std::map<NodeId, RaftPlace> raft_places_;
    std::map<std::size_t, std::deque<Fate>> fates_;  // by kind
    using Alter = std::function<void(msg::ClusterMessage&)>;
    std::map<std::size_t, std::deque<Alter>> alters_;  // by kind
    std::vector<std::pair<Process*, Scheduler::Event>> held_;
};

// One role's way to send.
class NetworkOutbox final : public msg::Outbox {
public:
    NetworkOutbox(Network& network, msg::RoleAddress from)
        : network_(network), from_(std::move(from)) {}

    void send(const msg::RoleAddress& to, msg::ClusterMessage message) override {
        network_.send(from_, to, std::move(message));
    }

private:
    Network& network_;
    msg::RoleAddress from_;
};

// A node's way to send Raft messages.
class NetworkTransport final : public raft::RaftTransport {
public:
    NetworkTransport(Network& network, NodeId from) : network_(network), from_(std::move(from)) {}

    void send(const NodeId& to, std::string bytes) override {
        network_.send_raft(from_, to, std::move(bytes));
    }

private:
    Network& network_;
    NodeId from_;
};

}  // namespace muster::sim
