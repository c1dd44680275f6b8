#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "env/net.h"
#include "runtime/loop/fd.h"

namespace muster::runtime {

// When a silent peer is given up by the kernel: its host is gone, or it takes no bytes.
struct KeepAliveOptions {
    Duration idle = std::chrono::seconds(5);
    Duration interval = std::chrono::seconds(3);
    int probes = 3;
    Duration user_timeout = std::chrono::seconds(14);
};

// A listening TCP socket, non-blocking; accepted sockets inherit its options. IPv6 [::] takes IPv4
// too. Errors: address_in_use (with the address), invalid_argument, io_error.
[[nodiscard]] Result<Fd> open_listener(const env::SocketAddress& at, int backlog,
                                       const KeepAliveOptions& keep_alive);

// A socket on its way to `to`, non-blocking: writable once connected or failed. It begins at the IP
// address `from` when that is given and of the same family. Errors: invalid_argument, unavailable,
// io_error.
[[nodiscard]] Result<Fd> open_dialling(const env::SocketAddress& to, const std::string& from,
                                       const KeepAliveOptions& keep_alive);

// The outcome of dialling. Errors: unavailable, timeout.
[[nodiscard]] Result<void> dialling_outcome(int fd);

struct Accepted {
    Fd fd;
    env::SocketAddress peer;
};
// Sets errno and gives nothing when there is none to accept or on failure.
[[nodiscard]] std::optional<Accepted> accept_one(int listener);

[[nodiscard]] env::SocketAddress local_address_of(int fd);

// The address of this machine that packets to `to` leave from; sends nothing. Errors:
// invalid_argument, unavailable (no way there).
[[nodiscard]] Result<std::string> local_ip_towards(const env::SocketAddress& to);

// What errno says about a connection that was up: closed, or timeout.
[[nodiscard]] Error connection_error(int error_number);

}  // namespace muster::runtime
