#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "model/datum.h"
#include "msg/client_port.h"
#include "sim/world/node.h"

namespace muster::sim {

// The state that a client gave a publication: it counts from 1.
struct StateOf {
    std::uint64_t publication = 0;
    std::int64_t state = 1;
};

// All clients of one session, as bare as they can be: they publish and subscribe over a few
// connections, acknowledge every push, and keep the lists they are shown.
//
// Publications are numbered through the cluster; kPerService in a row are of one service.
class SessionClients final : private msg::ClientPort {
public:
    static constexpr std::uint64_t kConnections = 10;
    static constexpr std::uint64_t kPerService = 10;

    // Opens the connections. Requires: the node's session is alive, and stays so.
    explicit SessionClients(Node& node);

    // In one request.
    void publish(const std::vector<StateOf>& states);
    void subscribe(std::uint64_t service);

    // What this session's subscribers are shown of the publication; zero: nothing.
    [[nodiscard]] std::int64_t shown(std::uint64_t publication) const;

private:
    // ClientPort
    void reply(env::ConnId, const msg::RequestReply&) override {}
    void push(const msg::PushOrder& order) override;
    void push_config(env::ConnId, const msg::ConfigPush&) override {}
    void hint(env::ConnId, const msg::ServerHint&) override {}
    [[nodiscard]] bool shows_incomplete() const override {
        return true;
    }
    [[nodiscard]] bool takes_deltas() const override {
        return true;
    }
    [[nodiscard]] bool congested(env::ConnId) const override {
        return false;
    }
    void close(env::ConnId, const Error&) override {}

    [[nodiscard]] static env::ConnId home_of(std::uint64_t publication);

    Node& node_;
    std::uint64_t requests_ = 0;
    std::unordered_map<Service, ServiceViewPtr> shown_;
};

}  // namespace muster::sim
