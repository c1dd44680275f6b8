#pragma once

#include "apps/muster/server/foundation.h"
#include "doors/bolt/bolt_port.h"
#include "doors/http/http_options.h"
#include "raft/raft_node.h"
#include "roles/data/data.h"
#include "roles/meta/meta.h"
#include "roles/session/session.h"
#include "runtime/config/server_config.h"
#include "runtime/history/history_thread.h"
#include "runtime/net/tcp_net.h"

namespace muster::cli {

// What each part of the server takes of the configuration.
[[nodiscard]] runtime::TcpNetOptions net_options(const runtime::ServerConfig& config);
[[nodiscard]] raft::RaftNodeOptions raft_options(const Identity& identity);
[[nodiscard]] meta::MetaOptions meta_options(const runtime::ServerConfig& config,
                                             const Identity& identity);
[[nodiscard]] data::DataOptions data_options(const runtime::ServerConfig& config,
                                             const Identity& identity);
[[nodiscard]] session::SessionOptions session_options(const runtime::ServerConfig& config,
                                                      const Identity& identity);
[[nodiscard]] runtime::HistoryOptions history_options(const Foundation& base);
[[nodiscard]] doors::BoltPortOptions bolt_options(const runtime::ServerConfig& config);
[[nodiscard]] http::HttpDoorOptions http_options(const runtime::ServerConfig& config);

}  // namespace muster::cli
