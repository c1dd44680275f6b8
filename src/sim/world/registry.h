#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/log.h"
#include "env/memory_disk.h"
#include "roles/data/data.h"
#include "roles/meta/meta.h"
#include "roles/session/session.h"
#include "sim/world/door.h"
#include "sim/world/network.h"
#include "sim/world/pipes.h"
#include "sim/world/process.h"
#include "sim/world/sim_disk.h"

namespace muster::sim {

struct RegistryOptions {
    bool embedded = false;  // all roles in one process, or each in its own
    std::uint16_t slots = 8;
    Duration sync_max = std::chrono::milliseconds(5);
};

// How a process ends.
enum class Death : std::uint8_t {
    killed,     // kill -9: peers see their connections close
    power_off,  // the machine with it: nobody is told, what was not synced is torn
};

// The registry under test: the real roles, one node each, in one process or three.
class Registry final : private LogSink {
public:
    static constexpr std::size_t kRoles = 3;

    Registry(RegistryOptions options, Scheduler& scheduler, Trace& trace, Prng prng,
             Network& network, Pipes& pipes);
    ~Registry() override;

    void start(Role role);
    void start_all();
    void kill(Role role, Death how);
    void pause(Role role, Duration how_long);

    [[nodiscard]] Process& process(Role role);
    [[nodiscard]] const RegistryOptions& options() const {
        return options_;
    }

    // Null while the process is dead.
    [[nodiscard]] session::SessionServer* session();
    [[nodiscard]] data::DataServer* data();
    [[nodiscard]] meta::MetaServer* meta();
    [[nodiscard]] Door* door(const std::string& name);

    // The session's own folder, which outlives it.
    [[nodiscard]] env::MemoryDisk& session_folder() {
        return session_folder_;
    }

    // Told of every connection the living session lost.
    Door::Lost on_connection_lost = [](PipeId) {};

private:
    struct MetaLife;
    struct DataLife;
    struct SessionLife;

    void write(LogLevel level, std::string_view event,
               std::initializer_list<LogField> fields) override;
    void begin(Role role);
    void end(Role role, Death how);
    void begin_meta();
    void begin_data();
    void begin_session();
    [[nodiscard]] std::vector<Role> roles_of(Role role) const;

    RegistryOptions options_;
    Scheduler& scheduler_;
    Trace& trace_;
    Prng prng_;
    Network& network_;
    Pipes& pipes_;
    std::array<std::unique_ptr<Process>, kRoles> processes_;  // embedded: the first only
    env::MemoryDisk folder_;
    env::MemoryDisk session_folder_;
    std::uint64_t boots_ = 1;  // of the session's machine
    std::unique_ptr<MetaLife> meta_;
    std::unique_ptr<DataLife> data_;
    std::unique_ptr<SessionLife> session_;
};

}  // namespace muster::sim
