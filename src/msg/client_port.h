#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "env/net.h"
#include "msg/client.h"

namespace muster::msg {

// One connection's share of a fan-out.
struct PushTarget {
    env::ConnId conn;
    std::span<const std::string_view> subscribers;  // their ids, for as long as the call takes
};

// One view (and, for connections that hold delta->from, its delta) for many connections, so that a
// door encodes it once.
struct PushOrder {
    ServiceViewPtr view;
    ViewDeltaPtr delta;  // null: the whole view
    Scope scope = Scope::zone;
    std::string zone;
    std::span<const PushTarget> targets;
};

// The session's way to its clients: implemented by each door. The door answers every push to a
// connection, sooner or later, by PushAck or by reporting the connection closed. Nothing is called
// back from within. Loop thread only.
class ClientPort {
public:
    virtual ~ClientPort() = default;

    virtual void reply(env::ConnId conn, const RequestReply& reply) = 0;
    virtual void push(const PushOrder& order) = 0;
    virtual void push_config(env::ConnId conn, const ConfigPush& push) = 0;
    virtual void hint(env::ConnId conn, const ServerHint& hint) = 0;

    // What happens to a push of an incomplete view. True: the client is told and removes nothing
    // because of it. False: it would take what is missing for gone, so it must not be sent one; it
    // keeps what it has until the view is complete.
    [[nodiscard]] virtual bool shows_incomplete() const = 0;

    // Whether a push may carry a delta instead of the whole view.
    [[nodiscard]] virtual bool takes_deltas() const = 0;

    // Whether hint() makes a client go elsewhere without a gap; else it goes when it is closed.
    [[nodiscard]] virtual bool follows_hints() const {
        return false;
    }

    // Whether its clients keep their connection, and make another one when it is closed, to any
    // session. False: each serves a few requests.
    [[nodiscard]] virtual bool keeps_connections() const {
        return true;
    }

    // More was sent than the connection takes: nothing but replies until it drains (the door then
    // tells the session by SessionServer::on_client_drained).
    [[nodiscard]] virtual bool congested(env::ConnId conn) const = 0;

    // Much of the connection waits: nothing more is to be read of it until go_on_reading(). What
    // was read still comes. A door whose clients wait for each answer need not.
    virtual void stop_reading(env::ConnId /*conn*/) {}
    virtual void go_on_reading(env::ConnId /*conn*/) {}

    // Ends the connection; the session forgets it without waiting for a report.
    virtual void close(env::ConnId conn, const Error& why) = 0;
};

}  // namespace muster::msg
