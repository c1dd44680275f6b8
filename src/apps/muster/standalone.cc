#include "apps/muster/standalone.h"

#include <array>
#include <csignal>
#include <utility>

#include "apps/muster/role_options.h"
#include "doors/bolt/bolt_door.h"
#include "doors/bolt/bolt_port.h"
#include "doors/http/http_door.h"
#include "doors/native/native_door.h"
#include "raft/single_node.h"
#include "roles/data/data.h"
#include "roles/meta/meta.h"
#include "roles/session/session.h"
#include "runtime/bus/local_bus.h"
#include "runtime/disk/data_folder.h"
#include "runtime/disk/file_disk.h"
#include "runtime/disk/files.h"
#include "runtime/loop/loop.h"
#include "runtime/net/tcp_net.h"

namespace muster::cli {
namespace {

using runtime::ServerConfig;

// Says which key of the configuration moves a listener that could not be opened.
Result<env::SocketAddress> listen_or_explain(Result<env::SocketAddress> outcome,
                                             std::string_view key, const env::SocketAddress& at) {
    if (outcome) {
        return outcome;
    }
    Error error = std::move(outcome).error();
    error.detail = "cannot listen at " + env::to_string(at) + " (" + error.detail +
                   "); stop what uses it, or choose another with --set " + std::string(key) +
                   "=ip:port";
    return std::unexpected(std::move(error));
}

// Another one after each start of the machine (man 4 random); empty when the kernel does not tell.
std::string boot_id() {
    return runtime::read_file("/proc/sys/kernel/random/boot_id").value_or("");
}

}  // namespace

struct Standalone::Parts {
    explicit Parts(runtime::DataFolder opened) : folder(std::move(opened)) {}

    std::unique_ptr<runtime::Loop> loop;
    runtime::DataFolder folder;
    std::unique_ptr<runtime::FileDisk> disk;
    std::unique_ptr<runtime::TcpNet> net;
    std::unique_ptr<runtime::LocalBus> bus;

    std::unique_ptr<runtime::LoopTimers> consensus_timers;
    std::unique_ptr<raft::SingleNode> consensus;
    std::unique_ptr<msg::Outbox> meta_outbox;
    std::unique_ptr<runtime::LoopTimers> meta_timers;
    std::unique_ptr<meta::MetaServer> meta;

    std::unique_ptr<msg::Outbox> data_outbox;
    std::unique_ptr<runtime::LoopTimers> data_timers;
    std::unique_ptr<data::DataServer> data;

    std::unique_ptr<runtime::FileDisk> session_disk;
    std::unique_ptr<msg::Outbox> session_outbox;
    std::unique_ptr<runtime::LoopTimers> session_timers;
    std::unique_ptr<session::SessionServer> session;

    std::unique_ptr<doors::BoltDoor> bolt_door;
    std::unique_ptr<doors::NativeDoor> native_door;
    std::unique_ptr<runtime::LoopTimers> port_timers;
    std::unique_ptr<doors::BoltPort> bolt_port;
    std::unique_ptr<runtime::LoopTimers> http_timers;
    std::unique_ptr<http::HttpDoor> http_door;

    env::SocketAddress bolt_at;
    env::SocketAddress http_at;
    Identity identity;
    Log log;

    Result<void> open(const ServerConfig& config);
    Result<void> start_meta(const ServerConfig& config);
    Result<void> identify(const ServerConfig& config);
    void make_data(const ServerConfig& config);
    void make_session(const ServerConfig& config);
    Result<void> open_bolt(const ServerConfig& config);
    Result<void> open_http(const ServerConfig& config);
    void write_metrics(MetricsWriter& writer) const;
    Result<void> run();
};

Result<void> Standalone::Parts::open(const ServerConfig& config) {
    auto made = runtime::Loop::create();
    if (!made) {
        return std::unexpected(std::move(made).error());
    }
    loop = std::move(*made);
    net = std::make_unique<runtime::TcpNet>(*loop, net_options(config));
    bus = std::make_unique<runtime::LocalBus>(*loop, runtime::LocalBusOptions{});
    MUSTER_TRY(identify(config));
    MUSTER_TRY(start_meta(config));
    make_data(config);
    make_session(config);
    MUSTER_TRY(open_bolt(config));
    return open_http(config);
}

Result<void> Standalone::Parts::identify(const ServerConfig& config) {
    auto life = runtime::next_incarnation(folder);
    if (!life) {
        return std::unexpected(std::move(life).error());
    }
    identity.incarnation = *life;
    if (!config.node_id.empty()) {
        identity.node = NodeId(config.node_id);
        return {};
    }
    auto kept = runtime::stable_node_id(folder);
    if (!kept) {
        return std::unexpected(std::move(kept).error());
    }
    identity.node = *kept;
    return {};
}

Result<void> Standalone::Parts::start_meta(const ServerConfig& config) {
    disk = std::make_unique<runtime::FileDisk>(*loop, folder, runtime::FileDiskOptions{});
    consensus_timers = std::make_unique<runtime::LoopTimers>(*loop);
    consensus = std::make_unique<raft::SingleNode>(
        raft::SingleNodeOptions{.node = identity.node},
        raft::SingleNodeEnv{.disk = *disk, .timers = *consensus_timers, .log = log});
    consensus_timers->bind(*consensus);
    disk->bind(*consensus);
    const msg::RoleAddress address{identity.node, Role::meta};
    meta_outbox = bus->outbox(address);
    meta_timers = std::make_unique<runtime::LoopTimers>(*loop);
    meta = std::make_unique<meta::MetaServer>(
        meta_options(config, identity),
        meta::MetaEnv{.clock = *loop, .timers = *meta_timers, .outbox = *meta_outbox, .log = log},
        *consensus);
    meta_timers->bind(*meta);
    bus->attach(address, *meta);
    auto recovered = meta->start();
    if (!recovered) {
        return wrap("recover what the metas agreed on", std::move(recovered).error());
    }
    return {};
}

void Standalone::Parts::make_data(const ServerConfig& config) {
    const msg::RoleAddress address{identity.node, Role::data};
    data_outbox = bus->outbox(address);
    data_timers = std::make_unique<runtime::LoopTimers>(*loop);
    data = std::make_unique<data::DataServer>(
        data_options(config, identity),
        data::DataEnv{.clock = *loop, .timers = *data_timers, .outbox = *data_outbox, .log = log});
    data_timers->bind(*data);
    bus->attach(address, *data);
}

void Standalone::Parts::make_session(const ServerConfig& config) {
    const msg::RoleAddress address{identity.node, Role::session};
    session_outbox = bus->outbox(address);
    session_timers = std::make_unique<runtime::LoopTimers>(*loop);
    session::SessionOptions options = session_options(config, identity);
    options.address = advertised(config, config.bolt.listen);
    options.boot = boot_id();
    session_disk = std::make_unique<runtime::FileDisk>(
        *loop, folder, runtime::FileDiskOptions{.folder = "session"});
    session = std::make_unique<session::SessionServer>(
        std::move(options), session::SessionEnv{.clock = *loop,
                                                .timers = *session_timers,
                                                .outbox = *session_outbox,
                                                .log = log,
                                                .disk = session_disk.get()});
    session_timers->bind(*session);
    session_disk->bind(*session);
    bus->attach(address, *session);
}

Result<void> Standalone::Parts::open_bolt(const ServerConfig& config) {
    bolt_door = std::make_unique<doors::BoltDoor>(doors::BoltDoorOptions{}, *session, log);
    native_door = std::make_unique<doors::NativeDoor>(doors::NativeDoorOptions{}, *session, log);
    port_timers = std::make_unique<runtime::LoopTimers>(*loop);
    bolt_port =
        std::make_unique<doors::BoltPort>(bolt_options(config), *net, *loop, *port_timers, log);
    port_timers->bind(*bolt_port);
    bolt_port->serve(bolt::kCodecHessian, *bolt_door);
    bolt_port->serve(bolt::kCodecProtobuf, *native_door);
    auto at =
        listen_or_explain(bolt_port->listen(config.bolt.listen), "bolt.listen", config.bolt.listen);
    if (!at) {
        return std::unexpected(std::move(at).error());
    }
    bolt_at = *at;
    return {};
}

Result<void> Standalone::Parts::open_http(const ServerConfig& config) {
    http::HttpDoorOptions options = http_options(config);
    options.metrics.emplace_back([this](MetricsWriter& writer) { write_metrics(writer); });
    http_timers = std::make_unique<runtime::LoopTimers>(*loop);
    http_door = std::make_unique<http::HttpDoor>(std::move(options),
                                                 http::HttpDoorEnv{.net = *net,
                                                                   .clock = *loop,
                                                                   .timers = *http_timers,
                                                                   .clients = *session,
                                                                   .queries = *session});
    http_timers->bind(*http_door);
    auto at =
        listen_or_explain(http_door->listen(config.http.listen), "http.listen", config.http.listen);
    if (!at) {
        return std::unexpected(std::move(at).error());
    }
    http_at = *at;
    return {};
}

void Standalone::Parts::write_metrics(MetricsWriter& writer) const {
    session->write_metrics(writer);
    data->write_metrics(writer);
    meta->write_metrics(writer);
    consensus->write_metrics(writer);
    bolt_port->write_metrics(writer);
    bolt_door->write_metrics(writer);
    native_door->write_metrics(writer);
    net->write_metrics(writer);
    bus->write_metrics(writer);
    disk->write_metrics(writer);
    loop->write_metrics(writer);
}

Result<void> Standalone::Parts::run() {
    std::signal(SIGPIPE, SIG_IGN);  // a reader that goes is an answer of write(), not our end
    constexpr std::array kSignals{SIGINT, SIGTERM};
    MUSTER_TRY(loop->on_signals(kSignals, [this](int signal) {
        log.info("server.stopping", {{"signal", signal}});
        loop->stop();
    }));
    data->start();
    session->start();
    loop->run();
    session->stop();
    bolt_port->stop();
    return {};
}

Standalone::Standalone(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Standalone::~Standalone() = default;

Result<std::unique_ptr<Standalone>> Standalone::create(const ServerConfig& config, Log log) {
    auto folder = runtime::DataFolder::open(config.data_dir);
    if (!folder) {
        return std::unexpected(std::move(folder).error());
    }
    auto parts = std::make_unique<Parts>(std::move(*folder));
    parts->log = log;
    MUSTER_TRY(parts->open(config));
    return std::unique_ptr<Standalone>(new Standalone(std::move(parts)));
}

env::SocketAddress Standalone::bolt_address() const {
    return parts_->bolt_at;
}

env::SocketAddress Standalone::http_address() const {
    return parts_->http_at;
}

Result<void> Standalone::run() {
    return parts_->run();
}

}  // namespace muster::cli
