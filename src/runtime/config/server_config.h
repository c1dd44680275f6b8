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
    std::string zone;                             // empty: none
    std::size_t copies = 3;                       // of each slot, its leader's included

    // How this process is one of many. Without `join` it is a registry of its own.
    struct Cluster {
        std::string name = "muster";
        std::string secret;
        std::string secret_file;
        std::optional<env::SocketAddress> listen;     // none: by role, see listen_address()
        std::optional<env::SocketAddress> advertise;  // none: where it listens
        std::vector<NodeAddress> join;                // the metas
    } cluster;

    struct Meta {
        Duration member_lease = std::chrono::seconds(3);
        std::size_t protected_data_nodes = 0;  // 0: half of those that are known
    } meta;

    struct Data {
        Duration orphan_grace = std::chrono::seconds(10);
        Duration silent_hold = std::chrono::minutes(10);
        Duration sync_patience = std::chrono::seconds(30);
    } data;

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
        Duration push_silent_max = std::chrono::minutes(5);  // zero: never closed
        std::size_t push_updates_at_once = 1024;
        Duration return_grace = std::chrono::seconds(14);
        std::size_t registrations_per_connection_max = 200'000;
        struct Rate {
            std::size_t per_second;  // zero: no limit
            std::size_t burst = 200'000;
        };
        Rate client_changes{.per_second = 5000};
        Rate tenant_changes{.per_second = 0};
        struct FlapDamping {
            std::size_t flips = 10;
            Duration window = std::chrono::seconds(60);
            Duration hold = std::chrono::seconds(30);
            std::size_t percent = 10;
        } flap_damping;
        Rate client_subscribes{.per_second = 5000};
        Rate tenant_subscribes{.per_second = 0};
        Rate client_queries{.per_second = 5000};
        Rate tenant_queries{.per_second = 0};
        std::size_t requests_at_once = 256;
        std::size_t queries_waiting_max = 4096;
        std::size_t publication_max = std::size_t{1} << 20;
        std::size_t boxes_per_publication_max = 10'000;
        std::size_t changes_kept_per_datum = 64;
        std::size_t pushes_packed_above = std::size_t{16} << 10;
    } session;

    // Ends that are not believed when too many come at once.
    struct Brake {
        struct Limits {
            std::size_t count;
            std::size_t percent;
        };
        bool enabled = true;
        Duration window = std::chrono::seconds(10);
        Duration patience = std::chrono::seconds(60);
        Limits session{.count = 20, .percent = 10};
        Limits service{.count = 10, .percent = 50};
        Limits cluster{.count = 100, .percent = 30};
    } brake;

    // Clients of a session that has more than its share go to others.
    struct Balance {
        bool enabled = true;
        Duration grace = std::chrono::seconds(60);
        std::size_t count = 5;
        std::size_t percent = 10;
        std::size_t percent_per_second = 2;
        std::size_t capacity = 0;
    } balance;

    // What became of publications, kept on disk for those who ask later.
    struct History {
        bool enabled = true;
        std::size_t size = std::size_t{4} << 30U;
    } history;

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

// What `config` makes of the process.
[[nodiscard]] bool is_clustered(const ServerConfig& config);
[[nodiscard]] bool has_role(const ServerConfig& config, Role role);

// Where other nodes reach it: cluster.listen; else for a meta its own place in cluster.join, for a
// data server port 9620, for others any free port. Requires: is_clustered().
[[nodiscard]] env::SocketAddress peer_listen_address(const ServerConfig& config);

// The table of all its keys, bound to `config`, which must outlive it.
[[nodiscard]] ConfigTable server_config_table(ServerConfig& config);

// What the nodes of a cluster prove to each other that they know: cluster.secret, or the first line
// of cluster.secret_file. Errors: bad_config (too short, or a file that cannot be read).
[[nodiscard]] Result<std::string> cluster_secret(const ServerConfig& config);

// Defaults, then the file (none when empty), then "key=value" overrides, then what must hold
// between keys. Errors: bad_config.
[[nodiscard]] Result<ServerConfig> load_server_config(const std::string& file,
                                                      std::span<const std::string> overrides);

}  // namespace muster::runtime
