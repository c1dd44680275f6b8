#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "env/net.h"
#include "wire/bolt/frame.h"

namespace muster::bolt {

// One port serves several codecs (Hessian for Java clients, Protobuf for native ones) in the same
// framing. What the owner of the connections offers to the conversations on them. Calls with a
// stale connection have no effect. Loop thread only.
class FramePort {
public:
    virtual ~FramePort() = default;

    // Queues one or more whole frames. Order is kept.
    virtual void send(env::ConnId conn, std::string frames) = 0;

    // The same for one frame made of three parts; the body is shared, not copied.
    virtual void send(env::ConnId conn, std::string head, SharedBytes body, std::string tail) = 0;

    // More is queued than the connection takes; ends with on_drained().
    [[nodiscard]] virtual bool congested(env::ConnId conn) const = 0;

    // As env::Net.
    virtual void stop_reading(env::ConnId conn) = 0;
    virtual void go_on_reading(env::ConnId conn) = 0;

    // Sends what is queued, then closes. The conversation hears nothing more of `conn`.
    virtual void close(env::ConnId conn, const Error& why) = 0;
};

// The meaning of the frames of one codec. The port owns the connections: it reads frames, bounds
// their size and number, acknowledges heartbeats and closes idle connections and those that send
// garbage. The first frame of a connection that is not a heartbeat chooses its conversation by its
// codec; all later frames but heartbeats go there. Must outlive the port. Loop thread only.
//
//   (on_open  on_frame  (on_frame | on_drained)*  on_closed?)     for each connection
class FrameConversation {
public:
    virtual ~FrameConversation() = default;

    // `conn` speaks this codec. `port` outlives the connection.
    virtual void on_open(env::ConnId conn, const env::SocketAddress& peer, FramePort& port) = 0;

    // A whole frame with this conversation's codec: request, oneway or response, never a
    // heartbeat. Its views are valid during the call only. The conversation may close `conn` from
    // within; it is not given further frames then.
    virtual void on_frame(env::ConnId conn, const Frame& frame) = 0;

    // A congested connection has drained.
    virtual void on_drained(env::ConnId conn) = 0;

    // The connection ended, for whatever reason but FramePort::close() by this conversation.
    virtual void on_closed(env::ConnId conn) = 0;

    // How long its connections may send no frame, heartbeats included, before the port closes
    // them. Zero: as long as the port's own limit. Always the same.
    [[nodiscard]] virtual Duration idle_max() const {
        return Duration{};
    }
};

}  // namespace muster::bolt
