#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <sys/types.h>

#include "base/result.h"
#include "base/time.h"

namespace muster::cli::bench {

// Whether nobody listens at the port on 127.0.0.1.
[[nodiscard]] bool is_port_free(std::uint16_t port);

// A free port on 127.0.0.1, below those that the kernel gives to connections. Errors: unavailable
// when a thousand tries found none.
[[nodiscard]] Result<std::uint16_t> find_free_port();

struct OwnPorts {
    std::uint16_t client = 0;
    std::uint16_t http = 0;
};

// A `muster server` of this very program, with the settings it has without any, in a new folder and
// on loopback. It ends with the object, and with this program; the folder goes with it.
class OwnServer {
public:
    // Starts it and waits until `ready` says so. Errors: invalid_argument (a port is taken),
    // unavailable (it ended, with what it said), timeout, closed (`stop` said so), io_error (no
    // folder, no process).
    [[nodiscard]] static Result<std::unique_ptr<OwnServer>> start(
        const OwnPorts& ports, const std::function<bool(std::uint16_t http_port)>& ready,
        const std::function<bool()>& stop);
    ~OwnServer();
    OwnServer(const OwnServer&) = delete;
    OwnServer& operator=(const OwnServer&) = delete;

    [[nodiscard]] Duration time_to_ready() const {
        return time_to_ready_;
    }
    [[nodiscard]] std::uint64_t rss_bytes() const;

private:
    OwnServer() = default;
    [[nodiscard]] Result<void> launch(const OwnPorts& ports);
    [[nodiscard]] bool has_ended();
    [[nodiscard]] std::string said() const;

    std::string folder_;
    pid_t pid_ = -1;
    Duration time_to_ready_{};
};

}  // namespace muster::cli::bench
