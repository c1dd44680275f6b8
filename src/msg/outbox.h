#pragma once

#include <compare>
#include <cstdint>

#include "model/cluster.h"
#include "msg/cluster.h"

namespace muster::msg {

// One role on one node.
struct RoleAddress {
    NodeId node;
    Role role = Role::session;

    [[nodiscard]] auto operator<=>(const RoleAddress&) const = default;
};

// How a role sends. Delivery is not promised: a message may be lost, doubled or overtaken, and is
// never delivered from within send(). Loop thread only.
class Outbox {
public:
    virtual ~Outbox() = default;
    virtual void send(const RoleAddress& to, ClusterMessage message) = 0;
};

// What the network knows of another node.
enum class LinkEvent : std::uint8_t {
    up,      // it can be talked to
    closed,  // its machine answers, its process does not: it closed its connection and refuses new
             // ones, so it ended
    silent,  // nothing was heard for a while: it may live, behind a cut
};

// What a role does with what was sent to it.
class Receiver {
public:
    virtual ~Receiver() = default;
    virtual void on_message(const RoleAddress& from, const ClusterMessage& message) = 0;

    // Told of changes only; a hint, which may be late or missing.
    virtual void on_link(const NodeId& /*node*/, LinkEvent /*event*/) {}
};

}  // namespace muster::msg
