#pragma once

#include <memory>
#include <string>

#include "apps/muster/server/foundation.h"
#include "base/log.h"
#include "base/result.h"
#include "runtime/config/server_config.h"

namespace muster::cli {

class DataPart;
class HttpPart;
class MetaPart;
class SessionPart;

// One node: the roles it is configured for, on one loop, over one foundation. Its roles exchange
// messages by the bus, and with those of other nodes by links; so one process with all roles and
// many with one each run the same code.
//
//   HttpPart   MetaPart   DataPart   SessionPart      as configured
//       |          |          |           |
//   Foundation: loop, folder, name, sockets, bus
//
// Made and run by one thread.
class Process {
public:
    // Takes the data folder, recovers, listens. Errors: conflict (the folder is in use, or another
    // node's), corrupt, address_in_use (names the address and the key to change), io_error,
    // bad_config.
    [[nodiscard]] static Result<std::unique_ptr<Process>> create(
        const runtime::ServerConfig& config, Log log);
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    // Serves until SIGINT or SIGTERM.
    [[nodiscard]] Result<void> run();

private:
    explicit Process(std::unique_ptr<Foundation> base);
    Result<void> open();
    void attach();
    void say_where() const;
    void write_metrics(MetricsWriter& writer) const;

    // What hears the network goes before what it tells.
    std::unique_ptr<Foundation> base_;
    std::unique_ptr<MetaPart> meta_;
    std::unique_ptr<DataPart> data_;
    std::unique_ptr<SessionPart> session_;
    std::unique_ptr<HttpPart> http_;
};

}  // namespace muster::cli
