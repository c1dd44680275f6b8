#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "base/prng.h"
#include "base/time.h"
#include "msg/outbox.h"
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

// Carries messages between roles: within a process in order and at once, between processes as the
// faults say. What is on its way when a process dies reaches its next life.
class Network {
public:
    Network(Scheduler& scheduler, Trace& trace, Prng prng)
        : scheduler_(scheduler), trace_(trace), prng_(prng) {}

    // Says where a role lives. `receiver` gives the role of the running life, null when there is
    // none.
    void attach(const msg::RoleAddress& at, Process& process,
                std::function<msg::Receiver*()> receiver);

    void send(const msg::RoleAddress& from, const msg::RoleAddress& to,
              msg::ClusterMessage message);

    // Nothing from `from` reaches `to` until opened again.
    void cut(Role from, Role to);
    void open_all();

    // The next message of this kind (index in ClusterMessage) is lost: for scenarios.
    void lose_next(std::size_t kind) {
        lose_next_[kind] += 1;
    }

    NetworkFaults faults;

private:
    using Shared = std::shared_ptr<const msg::ClusterMessage>;
    struct Place {
        Process* process = nullptr;
        std::function<msg::Receiver*()> receiver;
    };

    void arrive(const msg::RoleAddress& from, const msg::RoleAddress& to, const Shared& message);
    [[nodiscard]] Duration delay();

    Scheduler& scheduler_;
    Trace& trace_;
    Prng prng_;
    std::map<msg::RoleAddress, Place> places_;
    std::map<std::pair<Role, Role>, bool> cut_;
    std::map<std::size_t, int> lose_next_;
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

}  // namespace muster::sim
