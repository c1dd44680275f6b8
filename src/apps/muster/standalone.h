#pragma once

#include <memory>
#include <string>

#include "base/log.h"
#include "base/result.h"
#include "env/net.h"
#include "runtime/config/server_config.h"

namespace muster::cli {

// The embedded registry: the metas', the data and the session role of one node on one loop, with
// the doors. The roles exchange messages over a local bus only, as they would between machines.
//
//   sockets - TcpNet - BoltPort -+- BoltDoor (Java) --+
//                |               +- NativeDoor -------+- SessionServer -+
//                +--- HttpDoor -----------------------+                 |  LocalBus
//   disk - FileDisk - SingleNode - MetaServer ---------- DataServer ----+
//
// Made and run by one thread.
class Standalone {
public:
    // Opens the data folder, recovers, listens. Errors: conflict (the folder is in use), corrupt,
    // address_in_use (names the address and the key to change), io_error, bad_config.
    [[nodiscard]] static Result<std::unique_ptr<Standalone>> create(
        const runtime::ServerConfig& config, Log log);
    ~Standalone();
    Standalone(const Standalone&) = delete;
    Standalone& operator=(const Standalone&) = delete;

    [[nodiscard]] env::SocketAddress bolt_address() const;
    [[nodiscard]] env::SocketAddress http_address() const;

    // Serves until SIGINT or SIGTERM.
    [[nodiscard]] Result<void> run();

private:
    struct Parts;
    explicit Standalone(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

}  // namespace muster::cli
