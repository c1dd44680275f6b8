#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"

namespace muster::env {

// A connection of this process: index in the low 32 bits, generation in the high ones, so that a
// stale id is recognised and never means another connection. Zero is no connection.
using ConnId = Id<struct ConnIdTag, std::uint64_t>;
using ListenerId = Id<struct ListenerIdTag, std::uint32_t>;

// A numeric IP address and port; `ip` without brackets for IPv6.
struct SocketAddress {
    std::string ip;
    std::uint16_t port = 0;

    [[nodiscard]] auto operator<=>(const SocketAddress&) const = default;
};

// "127.0.0.1:9600", "[::1]:9600".
[[nodiscard]] std::string to_string(const SocketAddress& address);

// Errors: invalid_argument when `text` is not of that form or `ip` is not numeric.
[[nodiscard]] Result<SocketAddress> parse_socket_address(std::string_view text);

// Owner of a set of connections: a door, or a client's link. Calls never nest: none comes from
// within a call to Net. After on_closed() the id is stale.
class ConnectionHandler {
public:
    virtual ~ConnectionHandler() = default;

    // A peer was accepted by a listener of this handler.
    virtual void on_accepted(ConnId conn, const SocketAddress& peer) = 0;

    // A dialled connection is up. Failure comes as on_closed() without this.
    virtual void on_connected(ConnId conn) = 0;

    // Bytes as they arrived, split anywhere. Valid during the call only.
    virtual void on_bytes(ConnId conn, std::string_view bytes) = 0;

    // The send queue of a connection that was congested has drained.
    virtual void on_drained(ConnId conn) = 0;

    // The peer closed, the connection broke or could not be made, or its queue went over the hard
    // limit. Not called after our own close().
    virtual void on_closed(ConnId conn, const Error& why) = 0;
};

// TCP as roles and doors see it. Runtime: sockets on one event loop; simulator: pipes that split,
// delay and break. Loop thread only.
//
// Bounds: a connection whose queue of unsent bytes passes the soft limit is congested until it
// drains; past the hard limit it is closed with over_limit.
class Net {
public:
    virtual ~Net() = default;

    // Port 0 takes a free one. Errors: address_in_use, invalid_argument, io_error.
    virtual Result<ListenerId> listen(const SocketAddress& at, ConnectionHandler& handler) = 0;
    [[nodiscard]] virtual SocketAddress local_address(ListenerId listener) const = 0;
    virtual void stop_listening(ListenerId listener) = 0;

    // Always gives an id; the outcome comes as on_connected() or on_closed(). Errors there: closed
    // (the machine answers that nobody listens), timeout, unavailable.
    virtual ConnId dial(const SocketAddress& to, ConnectionHandler& handler) = 0;

    // Queues bytes behind those queued before; order is kept, frames of one call are never split by
    // another. Dropped silently when `conn` is stale.
    virtual void send(ConnId conn, std::string bytes) = 0;

    // The same for head + shared body + tail, the body not copied.
    virtual void send(ConnId conn, std::string head, SharedBytes body, std::string tail) = 0;

    // Reads no more of it until go_on_reading(), so that its peer has to wait. What was read by
    // then still comes, and so does its breaking; its end comes when it is read again. Who asks for
    // it keeps a bound of its own: a Net that cannot (in tests) reads on.
    virtual void stop_reading(ConnId /*conn*/) {}
    virtual void go_on_reading(ConnId /*conn*/) {}

    [[nodiscard]] virtual bool congested(ConnId conn) const = 0;
    [[nodiscard]] virtual std::size_t queued_bytes(ConnId conn) const = 0;

    // Sends what is queued (for a bounded time), then closes. No further calls for `conn`.
    virtual void close(ConnId conn) = 0;
};

}  // namespace muster::env
