#pragma once

#include <string>
#include <vector>

#include "env/net.h"
#include "msg/client.h"
#include "msg/client_port.h"

namespace muster::session {

// Who is at the other end of a connection, as the door knows it.
struct ClientInfo {
    std::string address;  // "ip:port"
    std::string door;     // "bolt", "native", "http"
};

// What doors see of the session: implemented by SessionServer, faked in tests of doors. Each
// connection is opened once, then used, then closed once; calls for others have no effect. Loop
// thread only.
class ClientFace {
public:
    virtual ~ClientFace() = default;

    // `port` must live until the connection is closed.
    virtual void on_client_open(env::ConnId conn, ClientInfo info, msg::ClientPort& port) = 0;

    // May answer at once through the port, from within.
    virtual void on_client_message(env::ConnId conn, const msg::ClientMessage& message) = 0;

    virtual void on_client_drained(env::ConnId conn) = 0;
    virtual void on_client_closed(env::ConnId conn) = 0;

    // Name of the data centre (segment) whose lists are pushed.
    [[nodiscard]] virtual const std::string& center() const = 0;

    // Addresses of live sessions for clients, "ip:port", this one first unless it is leaving.
    [[nodiscard]] virtual std::vector<std::string> server_list() const = 0;
};

}  // namespace muster::session
