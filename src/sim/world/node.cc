#include "sim/world/node.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "base/hash.h"

namespace muster::sim {
namespace {

constexpr std::uint64_t kCluster = 0xC1;

Incarnation incarnation_of(const Process& process) {
    return Incarnation(process.life());
}

store::BrakeLimits brake_of(const NodePlan& plan, store::BrakeLimits limits) {
    if (!plan.brake) {
        limits.percent = 100;  // never reached
    }
    return limits;
}

}  // namespace

struct Node::MetaLife {
    explicit MetaLife(Node& node)
        : consensus_timers(node.process_),
          timers(node.process_),
          outbox(node.world_.network, {node.plan_.id, Role::meta}),
          transport(node.world_.network, node.plan_.id),
          disk(node.folder(Role::meta), node.process_, Prng(node.prng_.next()),
               node.plan_.sync_max) {
        raft::Consensus& consensus =
            node.plan_.metas.size() > 1 ? begin_group(node) : begin_single(node);
        meta::MetaOptions options{.node = node.plan_.id,
                                  .incarnation = incarnation_of(node.process_),
                                  .slot_count = node.plan_.slots,
                                  .metas = node.plan_.metas};
        options.placement.copies = static_cast<std::size_t>(node.plan_.copies);
        options.brake = brake_of(node.plan_, options.brake);
        role = std::make_unique<meta::MetaServer>(std::move(options),
                                                  meta::MetaEnv{.clock = node.process_.clock(),
                                                                .timers = timers,
                                                                .outbox = outbox,
                                                                .log = Log(node, LogLevel::info)},
                                                  consensus);
        timers.attach(*role);
    }

    raft::Consensus& begin_single(Node& node) {
        single = std::make_unique<raft::SingleNode>(
            raft::SingleNodeOptions{.node = node.plan_.id, .snapshot_after_records = 50},
            raft::SingleNodeEnv{
                .disk = disk, .timers = consensus_timers, .log = Log(node, LogLevel::warning)});
        consensus_timers.attach(*single);
        node.folder(Role::meta).attach(*single);
        return *single;
    }

    raft::Consensus& begin_group(Node& node) {
        raft::RaftNodeOptions options;
        options.cluster = kCluster;
        options.bootstrap = raft::Membership{.voters = node.plan_.metas};
        options.first_life = incarnation_of(node.process_).raw();
        options.core.node = node.plan_.id;
        options.snapshot_after_records = 50;
        options.reserve = {.bytes = 4 << 10, .piece_bytes = 1 << 10};
        group = std::make_unique<raft::RaftNode>(
            std::move(options), raft::RaftNodeEnv{.disk = disk,
                                                  .timers = consensus_timers,
                                                  .transport = transport,
                                                  .prng = Prng(node.prng_.next()),
                                                  .log = Log(node, LogLevel::warning)});
        consensus_timers.attach(*group);
        node.folder(Role::meta).attach(*group);
        return *group;
    }

    ProcessTimers consensus_timers;
    ProcessTimers timers;
    NetworkOutbox outbox;
    NetworkTransport transport;
    SimDisk disk;
    std::unique_ptr<raft::SingleNode> single;  // or:
    std::unique_ptr<raft::RaftNode> group;
    std::unique_ptr<meta::MetaServer> role;
};

struct Node::DataLife {
    explicit DataLife(Node& node)
        : timers(node.process_),
          outbox(node.world_.network, {node.plan_.id, Role::data}),
          disk(node.folder(Role::data), node.process_, Prng(node.prng_.next()),
               node.plan_.sync_max),
          role({.node = node.plan_.id,
                .address = node.plan_.data_address,
                .peer_address = node.plan_.peer_address,
                .zone = node.plan_.zone,
                .folder = node.plan_.folder,
                .metas = node.plan_.metas,
                .incarnation = incarnation_of(node.process_),
                .brake = brake_of(node.plan_, data::DataOptions{}.brake),
                .tells = node.plan_.tells},
               {.clock = node.process_.clock(),
                .timers = timers,
                .outbox = outbox,
                .log = Log(node, LogLevel::info),
                .disk = &disk,
                .history = &node.notebook_}) {
        timers.attach(role);
        node.folder(Role::data).attach(role);
    }

    ProcessTimers timers;
    NetworkOutbox outbox;
    SimDisk disk;
    data::DataServer role;
};

struct Node::SessionLife {
    explicit SessionLife(Node& node)
        : timers(node.process_),
          outbox(node.world_.network, {node.plan_.id, Role::session}),
          disk(node.folder(Role::session), node.process_, Prng(node.prng_.next()),
               node.plan_.sync_max),
          role({.node = node.plan_.id,
                .address = node.plan_.client_address,
                .peer_address = node.plan_.peer_address,
                .zone = node.plan_.zone,
                .folder = node.plan_.folder,
                .metas = node.plan_.metas,
                .incarnation = incarnation_of(node.process_),
                .push = {.updates_at_once = node.plan_.updates_at_once},
                .boot = fmt::format("boot-{}", node.boots_),
                .brake = brake_of(node.plan_, session::SessionOptions{}.brake),
                .balance = node.plan_.balance,
                .flap_damping = node.plan_.flap_damping,
                .client_subscribes = node.plan_.client_subscribes,
                .waiting = {.at_once = node.plan_.requests_at_once}},
               {.clock = node.process_.clock(),
                .timers = timers,
                .outbox = outbox,
                .log = Log(node, LogLevel::info),
                .disk = &disk,
                .prng = Prng(hash64(node.plan_.id.raw()) + node.process_.life())}),
          native(kNative, node.process_, node.world_.pipes, role,
                 [&node](PipeId pipe, ConnectionEnd how) {
                     node.on_connection_ended(node, pipe, how);
                 }),
          bolt(kJava, node.process_, node.world_.pipes, role,
               [&node](PipeId pipe, ConnectionEnd how) {
                   node.on_connection_ended(node, pipe, how);
               }) {
        timers.attach(role);
        node.folder(Role::session).attach(role);
    }

    ProcessTimers timers;
    NetworkOutbox outbox;
    SimDisk disk;
    session::SessionServer role;
    Door native;
    Door bolt;
};

Node::Node(NodePlan plan, NodeWorld world, Prng prng)
    : plan_(std::move(plan)),
      world_(world),
      prng_(prng),
      process_(world.scheduler, world.trace, Prng(prng_.next()), plan_.id.raw()) {
    notebook_.on_note = [this](const history::Note& note) { on_noted(*this, note); };
    attach();
}

Node::~Node() = default;

void Node::attach() {
    for (const Role role : plan_.roles) {
        world_.network.attach({plan_.id, role}, process_, [this, role]() -> msg::Receiver* {
            switch (role) {
                case Role::meta: return meta();
                case Role::data: return data();
                case Role::session: break;
            }
            return session();
        });
    }
    if (has(Role::meta)) {
        world_.network.attach_raft(plan_.id, process_, [this] { return raft(); });
    }
    if (has(Role::session)) {
        world_.pipes.serve(plan_.client_address, process_,
                           [this](const std::string& name) -> ServerEnd* { return door(name); });
    }
    world_.links.attach(
        {.node = plan_.id,
         .process = &process_,
         .session_only = plan_.roles == std::vector{Role::session},
         .machine_runs = [this] { return process_.alive() || !machine_lost_; },
         .tell = [this](const NodeId& peer, msg::LinkEvent event) { tell_roles(peer, event); }});
}

bool Node::has(Role role) const {
    return std::ranges::find(plan_.roles, role) != plan_.roles.end();
}

session::SessionServer* Node::session() {
    return session_ == nullptr ? nullptr : &session_->role;
}

data::DataServer* Node::data() {
    return data_ == nullptr ? nullptr : &data_->role;
}

meta::MetaServer* Node::meta() {
    return meta_ == nullptr ? nullptr : meta_->role.get();
}

raft::RaftNode* Node::raft() {
    return meta_ == nullptr ? nullptr : meta_->group.get();
}

Door* Node::door(const std::string& name) {
    if (session_ == nullptr) {
        return nullptr;
    }
    return name == kNative.name ? &session_->native : &session_->bolt;
}

void Node::start() {
    if (process_.alive()) {
        return;
    }
    process_.start();
    for (const Role role : plan_.roles) {
        begin(role);
    }
}

void Node::begin(Role role) {
    if (role == Role::meta) {
        meta_ = std::make_unique<MetaLife>(*this);
        const auto report = meta_->role->start();
        if (!report) {
            process_.note(to_string(report.error()));
        }
        CHECK_BECAUSE(report.has_value(), "the meta must recover from any crash");
    } else if (role == Role::data) {
        data_ = std::make_unique<DataLife>(*this);
        data_->role.start();
    } else {
        session_ = std::make_unique<SessionLife>(*this);
        session_->role.start();
    }
}

void Node::kill(Death how) {
    if (!process_.alive()) {
        return;
    }
    process_.kill();
    ended_ = world_.scheduler.now();
    machine_lost_ = how == Death::power_off;
    boots_ += machine_lost_ ? 1 : 0;
    if (meta_ != nullptr) {
        meta_.reset();
        crash(folder(Role::meta), machine_lost_ ? prng_.below(64) : 0);
    }
    if (data_ != nullptr) {
        data_.reset();
        crash(folder(Role::data), 0);
    }
    if (session_ != nullptr) {
        session_.reset();
        // A kill leaves what was written, synced or not; what was not begun is not there, and what
        // was being written may be torn.
        crash(folder(Role::session), prng_.chance(1, 4) ? prng_.below(64) : 0);
        world_.pipes.on_session_killed(process_, machine_lost_);
    }
    if (!machine_lost_) {
        world_.links.on_killed(plan_.id);
    }
}

void Node::crash(env::MemoryDisk& folder, std::size_t torn_bytes) {
    const std::size_t done = prng_.below(folder.queued() + 1);
    folder.crash(
        {.operations = done, .torn_bytes = torn_bytes, .torn_as_zeros = prng_.chance(1, 2)});
}

void Node::tell_roles(const NodeId& peer, msg::LinkEvent event) {
    for (msg::Receiver* role : std::initializer_list<msg::Receiver*>{meta(), data(), session()}) {
        if (role != nullptr) {
            role->on_link(peer, event);
        }
    }
    if (event == msg::LinkEvent::closed && raft() != nullptr) {
        raft()->on_peer_gone(peer);
    }
}

void Node::write(LogLevel, std::string_view event, std::initializer_list<LogField> fields) {
    std::string line("log ");
    line += event;
    for (const LogField& field : fields) {
        line += fmt::format(" {}={}", field.key, field.value);
    }
    process_.note(line);
}

}  // namespace muster::sim
