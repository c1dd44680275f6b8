#include "runtime/config/server_config.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "runtime/config/config_reader.h"

namespace muster::runtime {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint16_t kDataPort = 9620;  // SOFARegistry's
constexpr std::size_t kClusterNameMax = 128;
constexpr std::size_t kSecretMin = 16;
constexpr std::size_t kSecretMax = 4096;

constexpr std::size_t kKiB = 1024;
constexpr std::size_t kMiB = kKiB * 1024;
constexpr std::size_t kGiB = kMiB * 1024;

void add_node(ConfigTable& table, ServerConfig& config) {
    table.text("node_id", config.node_id,
               "Stable name of this node, unique in the cluster. Without one a name is made at the "
               "first start and kept in the data folder.");
    table.text("data_dir", config.data_dir,
               "Folder for what must survive a restart. One process at a time holds it.");
    table.text("center", config.center, "Name of the data centre, told to clients with each list.");
    table.choice_list<Role>(
        "roles", config.roles,
        {{"meta", Role::meta}, {"data", Role::data}, {"session", Role::session}},
        "What this process does. All three without `cluster.join`: a registry of its own.");
    table.integer("slots", config.slots, {1, 16'384},
                  "Partitions of the services. Fixed once the cluster has data.");
    table.integer("copies", config.copies, {1, 7},
                  "Data servers that hold each slot, as far as there are so many. Set on the "
                  "metas.");
    table.text("zone", config.zone,
               "What this node falls together with: a rack, a room, a power supply. Copies of a "
               "slot are spread over zones.");
    table.address("advertise", config.advertise,
                  "Address clients are told to connect to, when it is not `bolt.listen` as it is: "
                  "behind a translation of addresses, or when listening on all of several.");
}

void add_cluster(ConfigTable& table, ServerConfig::Cluster& cluster) {
    table.nodes("cluster.join", cluster.join,
                "The metas of the cluster and where other nodes reach them; the same list on every "
                "node. Without it the process is a registry of its own.");
    table.text("cluster.name", cluster.name,
               "Name of the cluster. Nodes of clusters with another name are turned away, and so "
               "are their data folders.");
    table.text("cluster.secret_file", cluster.secret_file,
               "File whose first line is the secret that all nodes of the cluster share: at least "
               "16 bytes. Nobody is let in at the peer port who cannot prove to know it.");
    table.text("cluster.secret", cluster.secret,
               "The secret itself. On a command line every user of the machine can read it; "
               "`cluster.secret_file` is better.");
    table.address("cluster.listen", cluster.listen,
                  "Where other nodes connect. Without it a meta takes its own address in "
                  "`cluster.join`, a data server port 9620, a session server any free port. Links "
                  "to others begin at this IP address, too, when it is not the one for all.");
    table.address("cluster.advertise", cluster.advertise,
                  "Address other nodes are told to connect to, when it is not `cluster.listen` as "
                  "it is.");
}

void add_meta(ConfigTable& table, ServerConfig::Meta& meta) {
    table.duration(
        "meta.member_lease", meta.member_lease, {milliseconds(500), minutes(1)},
        "A node that is silent for so long is dead to the metas, when nothing else shows "
        "that it ended: followers take over from a data server.");
    table.integer("meta.protected_data_nodes", meta.protected_data_nodes, {0, 2048},
                  "While fewer data servers live, no copies are made elsewhere for those that are "
                  "gone (followers still take over), until `muster slots force`. 0: half of those "
                  "that are known. The same on every meta.");
}

void add_data(ConfigTable& table, ServerConfig::Data& data) {
    table.duration("data.orphan_grace", data.orphan_grace, {seconds(0), minutes(10)},
                   "How long the publications of a session that ended are kept while its clients "
                   "go to another one. Java clients need up to 10s.");
    table.duration(
        "data.silent_hold", data.silent_hold, {seconds(1), hours(24)},
        "How long the publications of a session are held that merely cannot be heard: it "
        "may live behind a cut.");
    table.duration("data.sync_patience", data.sync_patience, {seconds(0), minutes(10)},
                   "A data server that started is not ready before it has all of the slots it "
                   "follows; when nothing of them came for so long it is.");
}

void add_bolt(ConfigTable& table, ServerConfig::Bolt& bolt) {
    table.address("bolt.listen", bolt.listen, "Where clients connect. Port 0 takes a free one.");
    table.duration("bolt.idle_timeout", bolt.idle_timeout, {seconds(2), hours(1)},
                   "A client that sends nothing for so long is taken for gone. SOFA clients beat "
                   "every 15s.");
    table.bytes("bolt.frame_max", bolt.frame_max, {64 * kKiB, kGiB},
                "Largest frame of a client; a larger one closes its connection.");
    table.integer("bolt.connections_max", bolt.connections_max, {1, 10'000'000},
                  "Client connections; more are turned away.");
    table.integer("bolt.connections_per_ip_max", bolt.connections_per_ip_max, {1, 10'000'000},
                  "Client connections of one address; more are turned away.");
    table.bytes("bolt.buffered_max", bolt.buffered_max, {kMiB, 64 * kGiB},
                "Incomplete frames of all connections together.");
}

void add_http(ConfigTable& table, ServerConfig::Http& http) {
    table.address("http.listen", http.listen,
                  "Where the HTTP API, health checks and metrics are served. Port 0 takes a free "
                  "one.");
    table.duration("http.idle_timeout", http.idle_timeout, {seconds(1), hours(1)},
                   "An idle connection is closed after so long.");
    table.bytes("http.body_max", http.body_max, {kKiB, 256 * kMiB},
                "Largest request body; a larger one is answered 413.");
    table.integer("http.connections_max", http.connections_max, {1, 10'000'000},
                  "HTTP connections; more are turned away.");
    table.integer("http.streams_max", http.streams_max, {0, 10'000'000},
                  "Long polls and event streams at a time; more are answered 503.");
    table.integer("http.leases_max", http.leases_max, {0, 10'000'000},
                  "Instances registered over HTTP with a time to live; more are refused.");
}

// `free`: what of the kind is never refused.
void add_rate(ConfigTable& table, const std::string& group, ServerConfig::Session::Rate& rate,
              const std::string& what, const std::string& of, const std::string& free) {
    table.integer(group + ".per_second", rate.per_second, {0, 100'000'000},
                  what + " a second of " + of +
                      " at one session; more are refused, and may be tried again. 0: no limit." +
                      free);
    table.integer(group + ".burst", rate.burst, {1, 100'000'000},
                  "So many of them at once, of " + of + ".");
}

void add_flap_damping(ConfigTable& table, ServerConfig::Session::FlapDamping& damping) {
    table.integer(
        "session.flap_damping.flips", damping.flips, {0, 1000},
        "An instance that comes back to this session more often within the window is "
        "flapping: that it goes is told at once, but when it comes it is not shown before "
        "it stayed for session.flap_damping.hold (muster flapping). 0: none ever is.");
    table.duration("session.flap_damping.window", damping.window, {seconds(1), hours(1)},
                   "Time in which so many comings back are forgotten, one after the other.");
    table.duration("session.flap_damping.hold", damping.hold, {seconds(0), seconds(50)},
                   "How long a flapping instance must stay before it is shown.");
    table.percent("session.flap_damping.share", damping.percent, {0, 100},
                  "At most this share of a session's publications is damped at a time, but always "
                  "one; what flaps beyond that is shown at once. When many flap, it is the way to "
                  "the session that breaks.");
}

void add_rates(ConfigTable& table, ServerConfig::Session& session) {
    const std::string client = "one client (a connection; an address over HTTP)";
    const std::string tenant = "one tenant";
    const std::string changes = "Changes of publications";
    const std::string kept = " Leaving and what is said again are never refused.";
    add_rate(table, "session.client_changes", session.client_changes, changes, client, kept);
    add_rate(table, "session.tenant_changes", session.tenant_changes, changes, tenant, kept);
    const std::string subscribes = "New subscriptions, watches of configuration values included,";
    add_rate(table, "session.client_subscribes", session.client_subscribes, subscribes, client,
             " What is asked again on a connection is never refused. Leave room for all that one "
             "client subscribes: it does so again when it comes back.");
    add_rate(table, "session.tenant_subscribes", session.tenant_subscribes, subscribes, tenant,
             " What is asked again on a connection, or by a native client that has a list from "
             "before, is never refused.");
    add_rate(table, "session.client_queries", session.client_queries, "Queries (over HTTP)",
             "one address", "");
    add_rate(table, "session.tenant_queries", session.tenant_queries, "Queries (over HTTP)",
             "one tenant", "");
}

void add_session(ConfigTable& table, ServerConfig::Session& session) {
    table.duration("session.heartbeat_interval", session.heartbeat_interval,
                   {milliseconds(10), seconds(10)},
                   "Pace of the heartbeats between session and data servers and to the metas.");
    table.duration("session.write_wait", session.write_wait, {milliseconds(1), seconds(10)},
                   "How long a registration waits for its data server before it is answered as "
                   "accepted and delivered later.");
    table.duration("session.resend_interval", session.resend_interval,
                   {milliseconds(10), minutes(1)},
                   "Pause before an unacknowledged message to a data server is sent again.");
    table.duration("session.push_timeout", session.push_timeout, {milliseconds(100), minutes(5)},
                   "A push a client has not acknowledged for so long is sent anew.");
    table.duration(
        "session.push_silent_max", session.push_silent_max, {seconds(0), hours(24)},
        "A client that is due pushes and has acknowledged none of a list for so long is "
        "closed, so that it comes back anew; what it published stays meanwhile. 0: never.");
    table.integer("session.push_updates_at_once", session.push_updates_at_once, {1, 1'000'000},
                  "Updates sent in a turn of the event loop; more wait for the next ones, so that "
                  "who has just subscribed is told first.");
    table.duration("session.return_grace", session.return_grace, {seconds(0), minutes(10)},
                   "How long clients of an earlier life of the server may need to come back; lists "
                   "that miss some of them are not called complete before. It ends early when all "
                   "who were there are known and back.");
    table.integer("session.registrations_per_connection_max",
                  session.registrations_per_connection_max, {1, 10'000'000},
                  "Publications, subscriptions and watches of one connection; more are refused.");
    add_flap_damping(table, session.flap_damping);
    add_rates(table, session);
    table.integer("session.requests_at_once", session.requests_at_once, {1, 1'000'000},
                  "Registrations, subscriptions and queries carried out as they come in a turn of "
                  "the event loop, and then of those that wait. What leaves is always carried out "
                  "as it comes; then come registrations, subscriptions, queries.");
    table.integer("session.queries_waiting_max", session.queries_waiting_max, {1, 1'000'000},
                  "Queries that wait for their turn; more are answered `busy`.");
    table.bytes("session.publication_max", session.publication_max, {kKiB, 256 * kMiB},
                "Largest publication; a larger one is refused.");
    table.integer("session.boxes_per_publication_max", session.boxes_per_publication_max,
                  {1, 1'000'000}, "Most values of one publication.");
    table.integer("session.changes_kept_per_datum", session.changes_kept_per_datum, {0, 1'000'000},
                  "Latest changes of a service kept to send differences to native clients.");
    table.bytes("session.pushes_packed_above", session.pushes_packed_above, {0, kGiB},
                "Pushes that are longer go packed (Zstandard) to native clients that take that. "
                "0B: none.");
}

void add_limits(ConfigTable& table, const std::string& group, ServerConfig::Brake::Limits& limits,
                const std::string& of) {
    table.integer(group + ".count", limits.count, {0, 100'000'000},
                  "Ends within the window that are always believed, of " + of + ".");
    table.percent(group + ".share", limits.percent, {0, 100},
                  "Share that is always believed; both must be passed. 100% never brakes.");
}

void add_brake(ConfigTable& table, ServerConfig::Brake& brake) {
    table.choice<bool>("brake.enabled", brake.enabled, {{"true", true}, {"false", false}},
                       "Whether publications are held when more connections close, or leases run "
                       "out, than is believed (muster brake). Polite leaving is never held.");
    table.duration("brake.window", brake.window, {seconds(1), hours(1)},
                   "Time in which ends are counted together.");
    table.duration("brake.patience", brake.patience, {seconds(1), hours(24)},
                   "How long what is held is kept, unless it is heard again or an operator "
                   "decides.");
    add_limits(table, "brake.session", brake.session, "the clients of one session");
    add_limits(table, "brake.service", brake.service, "the publications of one service");
    add_limits(table, "brake.cluster", brake.cluster, "all publications");
}

void add_balance(ConfigTable& table, ServerConfig::Balance& balance) {
    table.choice<bool>("balance.enabled", balance.enabled, {{"true", true}, {"false", false}},
                       "Whether a session with more clients than its share directs some to "
                       "sessions with fewer.");
    table.duration("balance.grace", balance.grace, {seconds(1), hours(24)},
                   "How long no member has come, gone or changed, and a client has been connected, "
                   "before it is moved. Java clients read the list of servers every 30 s: below "
                   "that they do not know a new session yet.");
    table.integer("balance.count", balance.count, {0, 1'000'000},
                  "Clients above its share from which on a session moves some; balance.share must "
                  "be passed, too. It ends at half of that.");
    table.percent("balance.share", balance.percent, {1, 100}, "The same as a part of its share.");
    table.percent("balance.pace", balance.percent_per_second, {1, 100},
                  "Part of a session's clients that is moved each second; one at least.");
    table.integer("balance.capacity", balance.capacity, {0, 1'000'000},
                  "How many clients this session shall serve in proportion to the others; 0: as "
                  "many as the others do on average.");
}

void add_history(ConfigTable& table, ServerConfig::History& history) {
    table.choice<bool>("history.enabled", history.enabled, {{"true", true}, {"false", false}},
                       "Whether a data server keeps what became of publications, and why, in "
                       "data_dir/history (muster history).");
    table.bytes("history.size", history.size, {16 * kMiB, 1024 * kGiB},
                "Bytes of that, compressed; the oldest goes first. It takes less on a disk that is "
                "nearly full.");
}

void add_net(ConfigTable& table, ServerConfig::Net& net) {
    table.integer("net.connections_max", net.connections_max, {1, 10'000'000},
                  "TCP connections of the process; more are turned away.");
    table.bytes("net.queue_soft_max", net.queue_soft_max, {kKiB, kGiB},
                "Unsent bytes from which on a connection is congested: it gets no pushes until "
                "they are sent.");
    table.bytes("net.queue_hard_max", net.queue_hard_max, {64 * kKiB, 64 * kGiB},
                "Unsent bytes past which a connection is closed.");
    table.integer("net.backlog", net.backlog, {1, 65'535},
                  "Connections the kernel keeps until they are accepted.");
    table.duration("net.dial_timeout", net.dial_timeout, {milliseconds(10), minutes(1)},
                   "How long a connection to another node may take to come up.");
    table.duration("net.close_timeout", net.close_timeout, {milliseconds(10), minutes(1)},
                   "How long a connection being closed may take to send what is queued.");
    table.duration("net.keepalive_idle", net.keepalive_idle, {seconds(1), hours(1)},
                   "Silence after which the kernel asks a peer whether it is there.");
    table.duration("net.keepalive_interval", net.keepalive_interval, {seconds(1), hours(1)},
                   "Pause between those questions.");
    table.integer("net.keepalive_probes", net.keepalive_probes, {1, 100},
                  "Unanswered questions after which a peer is gone.");
    table.duration("net.user_timeout", net.user_timeout, {milliseconds(100), hours(1)},
                   "A peer that acknowledges no bytes for so long is gone.");
}

void add_log(ConfigTable& table, ServerConfig::Logging& log) {
    table.choice<LogLevel>("log.level", log.level,
                           {{"debug", LogLevel::debug},
                            {"info", LogLevel::info},
                            {"warning", LogLevel::warning},
                            {"error", LogLevel::error}},
                           "Lowest level that is written.");
    table.choice<ConfigLogFormat>(
        "log.format", log.format,
        {{"text", ConfigLogFormat::text}, {"json", ConfigLogFormat::json}},
        "Lines for people or JSON objects, one a line.");
    table.text("log.file", log.file, "File to write to, instead of standard error.");
    table.bytes("log.file_max", log.file_max, {64 * kKiB, 64 * kGiB},
                "Size at which the log file is put aside and a new one begun.");
    table.integer("log.files_max", log.files_max, {1, 1000}, "Log files put aside that are kept.");
}

// What must hold between the keys of a node that is one of many.
Result<void> check_member(const ServerConfig& config) {
    const auto wrong = [](std::string what) { return fail(Errc::bad_config, std::move(what)); };
    const ServerConfig::Cluster& cluster = config.cluster;
    const bool is_named = std::ranges::any_of(
        cluster.join, [&](const NodeAddress& meta) { return meta.node.raw() == config.node_id; });
    std::string names;
    for (const NodeAddress& meta : cluster.join) {
        names += (names.empty() ? "" : ", ") + meta.node.raw();
    }
    if (has_role(config, Role::meta) && !is_named) {
        return wrong("node_id: a meta must be one of those in cluster.join (" + names + "), got '" +
                     config.node_id + "'; set --node-id to the name that stands there for it");
    }
    if (!has_role(config, Role::meta) && is_named) {
        return wrong("node_id: '" + config.node_id +
                     "' is a meta by cluster.join, but the roles of this node leave meta out; give "
                     "this node another --node-id, or add the role");
    }
    if (cluster.secret.empty() && cluster.secret_file.empty()) {
        return wrong(
            "cluster.secret_file: the nodes of a cluster must share a secret; make one with "
            "'openssl rand -hex 32 > FILE' and set --set cluster.secret_file=FILE on every node");
    }
    if (!cluster.secret.empty() && !cluster.secret_file.empty()) {
        return wrong("cluster.secret: expected either this or cluster.secret_file, got both");
    }
    if (cluster.name.empty() || cluster.name.size() > kClusterNameMax) {
        return wrong("cluster.name: expected a name of at most " + std::to_string(kClusterNameMax) +
                     " bytes");
    }
    const env::SocketAddress listen = peer_listen_address(config);
    if (listen.port != 0 && (listen == config.bolt.listen || listen == config.http.listen)) {
        return wrong("cluster.listen: expected another address than bolt.listen and http.listen");
    }
    if (cluster.advertise && cluster.advertise->port == 0) {
        return wrong("cluster.advertise: expected a port that other nodes can connect to, got 0");
    }
    return {};
}

// And of one that is a registry of its own.
Result<void> check_alone(const ServerConfig& config) {
    const ServerConfig::Cluster& cluster = config.cluster;
    if (config.roles.size() < 3) {
        return fail(Errc::bad_config,
                    "cluster.join: a node without all three roles is one of several and must know "
                    "the metas: --join m1=ip:port,... names them and their peer addresses");
    }
    if (cluster.listen || cluster.advertise || !cluster.secret.empty() ||
        !cluster.secret_file.empty()) {
        return fail(Errc::bad_config,
                    "cluster.join: missing, though other keys of cluster are set; name the metas "
                    "by --join m1=ip:port,..., or leave all of them out for a registry of its own");
    }
    return {};
}

// What must hold between keys.
Result<void> check(const ServerConfig& config) {
    const auto wrong = [](const char* what) { return fail(Errc::bad_config, what); };
    if (config.data_dir.empty()) {
        return wrong("data_dir: expected a folder, got nothing");
    }
    if (config.center.empty()) {
        return wrong("center: expected a name, got nothing");
    }
    if (config.net.queue_soft_max > config.net.queue_hard_max) {
        return wrong("net.queue_soft_max: expected not more than net.queue_hard_max");
    }
    if (config.bolt.listen.port != 0 && config.bolt.listen == config.http.listen) {
        return wrong("http.listen: expected another address than bolt.listen");
    }
    if (config.advertise && config.advertise->port == 0) {
        return wrong("advertise: expected a port that clients can connect to, got 0");
    }
    if (!config.node_id.empty() && !is_node_id(config.node_id)) {
        return wrong("node_id: expected 1 to 128 visible ASCII characters without ',' and '='");
    }
    return is_clustered(config) ? check_member(config) : check_alone(config);
}

}  // namespace

bool is_clustered(const ServerConfig& config) {
    return !config.cluster.join.empty();
}

bool has_role(const ServerConfig& config, Role role) {
    return std::ranges::find(config.roles, role) != config.roles.end();
}

env::SocketAddress peer_listen_address(const ServerConfig& config) {
    if (config.cluster.listen) {
        return *config.cluster.listen;
    }
    for (const NodeAddress& meta : config.cluster.join) {
        if (has_role(config, Role::meta) && meta.node.raw() == config.node_id) {
            return meta.address;
        }
    }
    return {.ip = "0.0.0.0", .port = has_role(config, Role::data) ? kDataPort : std::uint16_t{0}};
}

Result<std::string> cluster_secret(const ServerConfig& config) {
    std::string secret = config.cluster.secret;
    std::string key = "cluster.secret";
    if (!config.cluster.secret_file.empty()) {
        key = "cluster.secret_file: " + config.cluster.secret_file;
        std::ifstream in(config.cluster.secret_file, std::ios::binary);
        if (!in.is_open()) {
            return fail(Errc::bad_config, key + ": " + std::strerror(errno));
        }
        std::getline(in, secret);
        if (secret.ends_with('\r')) {
            secret.pop_back();
        }
    }
    if (secret.size() < kSecretMin || secret.size() > kSecretMax) {
        return fail(Errc::bad_config, key + ": expected " + std::to_string(kSecretMin) + " to " +
                                          std::to_string(kSecretMax) + " bytes in one line, got " +
                                          std::to_string(secret.size()));
    }
    return secret;
}

ConfigTable server_config_table(ServerConfig& config) {
    ConfigTable table;
    add_node(table, config);
    add_cluster(table, config.cluster);
    add_meta(table, config.meta);
    add_data(table, config.data);
    add_bolt(table, config.bolt);
    add_http(table, config.http);
    add_session(table, config.session);
    add_brake(table, config.brake);
    add_balance(table, config.balance);
    add_history(table, config.history);
    add_net(table, config.net);
    add_log(table, config.log);
    return table;
}

Result<ServerConfig> load_server_config(const std::string& file,
                                        std::span<const std::string> overrides) {
    ServerConfig config;
    const ConfigTable table = server_config_table(config);
    if (!file.empty()) {
        MUSTER_TRY(read_config_file(table, file));
    }
    for (const std::string& assignment : overrides) {
        MUSTER_TRY(apply_override(table, assignment));
    }
    MUSTER_TRY(check(config));
    return config;
}

}  // namespace muster::runtime
