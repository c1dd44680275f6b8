#include "sim/world/registry.h"

#include <fmt/format.h>

#include "base/check.h"
#include "raft/single_node.h"

namespace muster::sim {
namespace {

const NodeId kMetaNode("m1");
const NodeId kDataNode("d1");
const NodeId kSessionNode("s1");

std::size_t index_of(Role role) {
    return static_cast<std::size_t>(role);
}

Incarnation incarnation_of(const Process& process) {
    return Incarnation(process.life());
}

}  // namespace

struct Registry::MetaLife {
    MetaLife(Registry& registry, Process& process)
        : consensus_timers(process),
          timers(process),
          outbox(registry.network_, {kMetaNode, Role::meta}),
          disk(registry.folder_, process, Prng(registry.prng_.next()), registry.options_.sync_max),
          consensus(
              {.node = kMetaNode, .snapshot_after_records = 50},
              {.disk = disk, .timers = consensus_timers, .log = Log(registry, LogLevel::warning)}),
          role({.node = kMetaNode,
                .incarnation = incarnation_of(process),
                .slot_count = registry.options_.slots},
               {.clock = process.clock(),
                .timers = timers,
                .outbox = outbox,
                .log = Log(registry, LogLevel::info)},
               consensus) {
        consensus_timers.attach(consensus);
        timers.attach(role);
        registry.folder_.attach(consensus);
    }

    ProcessTimers consensus_timers;
    ProcessTimers timers;
    NetworkOutbox outbox;
    SimDisk disk;
    raft::SingleNode consensus;
    meta::MetaServer role;
};

struct Registry::DataLife {
    DataLife(Registry& registry, Process& process)
        : timers(process),
          outbox(registry.network_, {kDataNode, Role::data}),
          role({.node = kDataNode,
                .address = "10.0.0.2:9620",
                .metas = {kMetaNode},
                .incarnation = incarnation_of(process)},
               {.clock = process.clock(),
                .timers = timers,
                .outbox = outbox,
                .log = Log(registry, LogLevel::info)}) {
        timers.attach(role);
    }

    ProcessTimers timers;
    NetworkOutbox outbox;
    data::DataServer role;
};

struct Registry::SessionLife {
    SessionLife(Registry& registry, Process& process)
        : timers(process),
          outbox(registry.network_, {kSessionNode, Role::session}),
          disk(registry.session_folder_, process, Prng(registry.prng_.next()),
               registry.options_.sync_max),
          role({.node = kSessionNode,
                .address = "10.0.0.3:9600",
                .metas = {kMetaNode},
                .incarnation = incarnation_of(process),
                .boot = fmt::format("boot-{}", registry.boots_)},
               {.clock = process.clock(),
                .timers = timers,
                .outbox = outbox,
                .log = Log(registry, LogLevel::info),
                .disk = &disk}),
          native(kNative, process, registry.pipes_, role,
                 [&registry](PipeId pipe) { registry.on_connection_lost(pipe); }),
          bolt(kJava, process, registry.pipes_, role,
               [&registry](PipeId pipe) { registry.on_connection_lost(pipe); }) {
        timers.attach(role);
        registry.session_folder_.attach(role);
    }

    ProcessTimers timers;
    NetworkOutbox outbox;
    SimDisk disk;
    session::SessionServer role;
    Door native;
    Door bolt;
};

Registry::Registry(RegistryOptions options, Scheduler& scheduler, Trace& trace, Prng prng,
                   Network& network, Pipes& pipes)
    : options_(options),
      scheduler_(scheduler),
      trace_(trace),
      prng_(prng),
      network_(network),
      pipes_(pipes) {
    for (const Role role : {Role::meta, Role::data, Role::session}) {
        if (role == Role::meta || !options_.embedded) {
            processes_[index_of(role)] = std::make_unique<Process>(
                scheduler, trace, Prng(prng_.next()),
                options_.embedded ? "registry" : std::string(to_string(role)));
        }
    }
    network_.attach({kMetaNode, Role::meta}, process(Role::meta),
                    [this]() -> msg::Receiver* { return meta(); });
    network_.attach({kDataNode, Role::data}, process(Role::data),
                    [this]() -> msg::Receiver* { return data(); });
    network_.attach({kSessionNode, Role::session}, process(Role::session),
                    [this]() -> msg::Receiver* { return session(); });
    pipes_.serve(process(Role::session),
                 [this](const std::string& name) -> ServerEnd* { return door(name); });
}

Registry::~Registry() = default;

Process& Registry::process(Role role) {
    return *processes_[options_.embedded ? 0 : index_of(role)];
}

session::SessionServer* Registry::session() {
    return session_ == nullptr ? nullptr : &session_->role;
}

data::DataServer* Registry::data() {
    return data_ == nullptr ? nullptr : &data_->role;
}

meta::MetaServer* Registry::meta() {
    return meta_ == nullptr ? nullptr : &meta_->role;
}

Door* Registry::door(const std::string& name) {
    if (session_ == nullptr) {
        return nullptr;
    }
    return name == kNative.name ? &session_->native : &session_->bolt;
}

std::vector<Role> Registry::roles_of(Role role) const {
    return options_.embedded ? std::vector{Role::meta, Role::data, Role::session}
                             : std::vector{role};
}

void Registry::start(Role role) {
    Process& known = process(role);
    if (known.alive()) {
        return;
    }
    known.start();
    for (const Role each : roles_of(role)) {
        begin(each);
    }
}

void Registry::start_all() {
    for (const Role role : {Role::meta, Role::data, Role::session}) {
        start(role);
    }
}

void Registry::begin(Role role) {
    Process& known = process(role);
    if (role == Role::meta) {
        meta_ = std::make_unique<MetaLife>(*this, known);
        const auto report = meta_->role.start();
        if (!report) {
            trace_.note(scheduler_.now(), "meta", to_string(report.error()));
        }
        CHECK_BECAUSE(report.has_value(), "the meta must recover from any crash");
    } else if (role == Role::data) {
        data_ = std::make_unique<DataLife>(*this, known);
        data_->role.start();
    } else {
        session_ = std::make_unique<SessionLife>(*this, known);
        session_->role.start();
    }
}

void Registry::kill(Role role, Death how) {
    Process& known = process(role);
    if (!known.alive()) {
        return;
    }
    known.kill();
    for (const Role each : roles_of(role)) {
        end(each, how);
    }
}

void Registry::end(Role role, Death how) {
    if (role == Role::meta) {
        meta_.reset();
        const std::size_t done = prng_.below(folder_.queued() + 1);
        folder_.crash({.operations = done,
                       .torn_bytes = how == Death::power_off ? prng_.below(64) : 0,
                       .torn_as_zeros = prng_.chance(1, 2)});
    } else if (role == Role::data) {
        data_.reset();
    } else {
        session_.reset();
        // A kill leaves what was written, synced or not; what was not begun is not there, and what
        // was being written may be torn.
        const std::size_t done = prng_.below(session_folder_.queued() + 1);
        session_folder_.crash({.operations = done,
                               .torn_bytes = prng_.chance(1, 4) ? prng_.below(64) : 0,
                               .torn_as_zeros = prng_.chance(1, 2)});
        boots_ += how == Death::power_off ? 1 : 0;
        pipes_.on_session_killed(how == Death::power_off);
    }
}

void Registry::pause(Role role, Duration how_long) {
    process(role).pause(how_long);
}

void Registry::write(LogLevel, std::string_view event, std::initializer_list<LogField> fields) {
    std::string line(event);
    for (const LogField& field : fields) {
        line += fmt::format(" {}={}", field.key, field.value);
    }
    trace_.note(scheduler_.now(), "log", line);
}

}  // namespace muster::sim
