#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "base/time.h"
#include "env/net.h"
#include "model/cluster.h"
#include "model/service.h"
#include "runtime/config/config_table.h"

namespace muster::runtime {

enum class ConfigLogFormat : std::uint8_t { text, json };

// The configuration of `muster server`; the initial values are the defaults. What each key means
// stands in server_config.cc and, printed from there, in docs/reference/configuration.md.
struct ServerConfig {
    std::string node_id;  // empty: made once and kept in data_dir
    std::string data_dir = "./muster-data";
    std::string center{kDefaultCenter};
    std::vector<Role> roles{Role::meta, Role::data, Role::session};
    std::size_t slots = kDefaultSlotCount;
    std::optional<env::SocketAddress> advertise;  // none: from bolt.listen

    struct Bolt {
        env::SocketAddress listen{.ip = "0.0.0.0", .port = 9600};
        Duration idle_timeout = std::chrono::seconds(45);
        std::size_t frame_max = std::size_t{16} << 20;
        std::size_t connections_max = 65'536;
        std::size_t connections_per_ip_max = 16'384;
        std::size_t buffered_max = std::size_t{256} << 20;
    } bolt;

    struct Http {
        env::SocketAddress listen{.ip = "0.0.0.0", .port = 9603};
        Duration idle_timeout = std::chrono::seconds(75);
        std::size_t body_max = std::size_t{1} << 20;
        std::size_t connections_max = 4096;
        std::size_t streams_max = 2048;
        std::size_t leases_max = 100'000;
    } http;

    struct Session {
        Duration heartbeat_interval = std::chrono::milliseconds(250);
        Duration write_wait = std::chrono::milliseconds(200);
        Duration resend_interval = std::chrono::milliseconds(500);
        Duration push_timeout = std::chrono::seconds(5);
        Duration return_grace = std::chrono::seconds(14);
        std::size_t registrations_per_connection_max = 200'000;
        std::size_t publication_max = std::size_t{1} << 20;
        std::size_t boxes_per_publication_max = 10'000;
        std::size_t changes_kept_per_datum = 64;
    } session;

    struct Net {
        std::size_t connections_max = 100'000;
        std::size_t queue_soft_max = std::size_t{1} << 20;
        std::size_t queue_hard_max = std::size_t{64} << 20;
        std::size_t backlog = 4096;
        Duration dial_timeout = std::chrono::seconds(3);
        Duration close_timeout = std::chrono::seconds(2);
        Duration keepalive_idle = std::chrono::seconds(5);
        Duration keepalive_interval = std::chrono::seconds(3);
        std::size_t keepalive_probes = 3;
        Duration user_timeout = std::chrono::seconds(14);
    } net;

    struct Logging {
        LogLevel level = LogLevel::info;
        ConfigLogFormat format = ConfigLogFormat::text;
        std::string file;  // empty: standard error
        std::size_t file_max = std::size_t{64} << 20;
        std::size_t files_max = 4;
    } log;
};

// The table of all its keys, bound to `config`, which must outlive it.
[[nodiscard]] ConfigTable server_config_table(ServerConfig& config);

// Defaults, then the file (none when empty), then "key=value" overrides, then what must hold
// between keys. Errors: bad_config.
[[nodiscard]] Result<ServerConfig> load_server_config(const std::string& file,
                                                      std::span<const std::string> overrides);

}  // namespace muster::runtime
