#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "base/result.h"
#include "env/net.h"
#include "model/ids.h"
#include "runtime/bus/local_bus.h"
#include "runtime/config/server_config.h"
#include "runtime/disk/data_folder.h"
#include "runtime/disk/folder_owner.h"
#include "runtime/loop/loop.h"
#include "runtime/net/tcp_net.h"

namespace muster::cli {

// Which process of which cluster this is.
struct Identity {
    runtime::FolderOwner owner;
    runtime::NodeLife life;
    std::vector<NodeId> metas;  // by name; this node itself in a registry of its own

    [[nodiscard]] const NodeId& node() const {
        return owner.node;
    }
};

// What all roles of one process stand on: its folder and name, its loop, its sockets, and the bus
// its roles talk by. Made before them and gone after them. Loop thread only.
struct Foundation {
    runtime::ServerConfig config;
    Log log;
    std::unique_ptr<runtime::Loop> loop;
    runtime::DataFolder folder;
    Identity identity;
    std::unique_ptr<runtime::TcpNet> net;
    std::unique_ptr<runtime::LocalBus> bus;

    // Takes the data folder. Errors: conflict (the folder is in use, or another node's), corrupt,
    // io_error.
    [[nodiscard]] static Result<std::unique_ptr<Foundation>> create(
        const runtime::ServerConfig& config, Log log);

    void write_metrics(MetricsWriter& writer) const;
};

// Says which key of the configuration moves a listener that could not be opened.
[[nodiscard]] std::unexpected<Error> explain_listen(Error error, std::string_view key,
                                                    const env::SocketAddress& at);

// The IP address by which others reach what listens at `ip`: a wildcard becomes the address this
// machine has towards the first meta, and loopback without one.
[[nodiscard]] std::string reachable_ip(const Foundation& base, const std::string& ip);

}  // namespace muster::cli
