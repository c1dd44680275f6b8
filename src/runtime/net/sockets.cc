#include "runtime/net/sockets.h"

#include <cerrno>
#include <cstring>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace muster::runtime {
namespace {

struct RawAddress {
    sockaddr_storage storage{};
    socklen_t size = sizeof(sockaddr_storage);

    [[nodiscard]] sockaddr* get() {
        return reinterpret_cast<sockaddr*>(&storage);
    }
};

Result<RawAddress> to_raw(const env::SocketAddress& address) {
    RawAddress raw;
    if (address.ip.find(':') == std::string::npos) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(address.port);
        if (::inet_pton(AF_INET, address.ip.c_str(), &v4.sin_addr) == 1) {
            std::memcpy(&raw.storage, &v4, sizeof v4);
            raw.size = sizeof v4;
            return raw;
        }
    } else {
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(address.port);
        if (::inet_pton(AF_INET6, address.ip.c_str(), &v6.sin6_addr) == 1) {
            std::memcpy(&raw.storage, &v6, sizeof v6);
            raw.size = sizeof v6;
            return raw;
        }
    }
    return fail(Errc::invalid_argument, "'" + address.ip + "' is not a numeric IP address");
}

env::SocketAddress from_raw(const RawAddress& raw) {
    char text[INET6_ADDRSTRLEN] = "";
    if (raw.storage.ss_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &raw.storage, sizeof v4);
        ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
        return {.ip = text, .port = ntohs(v4.sin_port)};
    }
    sockaddr_in6 v6{};
    std::memcpy(&v6, &raw.storage, sizeof v6);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
        ::inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text, sizeof text);
    } else {
        ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    }
    return {.ip = text, .port = ntohs(v6.sin6_port)};
}

std::unexpected<Error> failure(Errc code, const env::SocketAddress& address, const char* what,
                               int error_number) {
    return fail(code, std::string(what) + " " + env::to_string(address) + ": " +
                          std::strerror(error_number));
}

void set_option(int fd, int level, int name, int value) {
    // A kernel without one of these options still serves; the connection is only noticed later.
    [[maybe_unused]] const int ignored = ::setsockopt(fd, level, name, &value, sizeof value);
}

Errc dial_errc(int error_number) {
    switch (error_number) {
        case ECONNREFUSED: return Errc::closed;
        case ETIMEDOUT: return Errc::timeout;
        default: return Errc::unavailable;
    }
}

int whole_seconds(Duration duration) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(duration).count();
    return seconds < 1 ? 1 : static_cast<int>(seconds);
}

void set_connection_options(int fd, const KeepAliveOptions& options) {
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, whole_seconds(options.idle));
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, whole_seconds(options.interval));
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, options.probes);
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(to_ms(options.user_timeout)));
}

// The port is chosen when it connects, so that many may begin at one address (ip(7)).
Result<void> begin_at(int fd, const std::string& ip, int family) {
    auto raw = to_raw({.ip = ip, .port = 0});
    MUSTER_TRY(raw);
    if (raw->storage.ss_family != family) {
        return {};
    }
    set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    if (::bind(fd, raw->get(), raw->size) != 0) {
        return failure(Errc::unavailable, {.ip = ip, .port = 0}, "begin at", errno);
    }
    return {};
}

Fd open_tcp(int family) {
    return Fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
}

}  // namespace

Result<Fd> open_listener(const env::SocketAddress& at, int backlog,
                         const KeepAliveOptions& keep_alive) {
    auto raw = to_raw(at);
    if (!raw) {
        return wrap("listen", std::move(raw).error());
    }
    Fd fd = open_tcp(raw->storage.ss_family);
    if (!fd.valid()) {
        return failure(Errc::io_error, at, "listen on", errno);
    }
    set_option(fd.raw(), SOL_SOCKET, SO_REUSEADDR, 1);
    set_connection_options(fd.raw(), keep_alive);
    if (::bind(fd.raw(), raw->get(), raw->size) != 0 || ::listen(fd.raw(), backlog) != 0) {
        const int error_number = errno;
        switch (error_number) {
            case EADDRINUSE: return failure(Errc::address_in_use, at, "listen on", error_number);
            case EADDRNOTAVAIL:
            case EACCES: return failure(Errc::invalid_argument, at, "listen on", error_number);
            default: return failure(Errc::io_error, at, "listen on", error_number);
        }
    }
    return fd;
}

Result<Fd> open_dialling(const env::SocketAddress& to, const std::string& from,
                         const KeepAliveOptions& keep_alive) {
    auto raw = to_raw(to);
    if (!raw) {
        return wrap("connect", std::move(raw).error());
    }
    Fd fd = open_tcp(raw->storage.ss_family);
    if (!fd.valid()) {
        return failure(Errc::io_error, to, "connect to", errno);
    }
    set_connection_options(fd.raw(), keep_alive);
    if (!from.empty()) {
        MUSTER_TRY(begin_at(fd.raw(), from, raw->storage.ss_family));
    }
    if (::connect(fd.raw(), raw->get(), raw->size) != 0 && errno != EINPROGRESS) {
        const int error_number = errno;
        return failure(dial_errc(error_number), to, "connect to", error_number);
    }
    return fd;
}

Result<void> dialling_outcome(int fd) {
    int error_number = 0;
    socklen_t size = sizeof error_number;
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error_number, &size) != 0) {
        error_number = errno;
    }
    if (error_number != 0) {
        return fail(dial_errc(error_number),
                    std::string("connect: ") + std::strerror(error_number));
    }
    // A port that nobody listens on, from the range the kernel also takes our own ports from, can
    // connect a socket to itself (RFC 9293 3.5, simultaneous open).
    RawAddress peer;
    RawAddress self;
    if (::getpeername(fd, peer.get(), &peer.size) != 0) {
        return fail(Errc::unavailable, std::string("connect: ") + std::strerror(errno));
    }
    ::getsockname(fd, self.get(), &self.size);
    if (from_raw(peer) == from_raw(self)) {
        return fail(Errc::closed, "connect: nobody listens there but this socket itself");
    }
    return {};
}

std::optional<Accepted> accept_one(int listener) {
    RawAddress raw;
    Fd fd(::accept4(listener, raw.get(), &raw.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.valid()) {
        return std::nullopt;
    }
    return Accepted{.fd = std::move(fd), .peer = from_raw(raw)};
}

env::SocketAddress local_address_of(int fd) {
    RawAddress raw;
    ::getsockname(fd, raw.get(), &raw.size);
    return from_raw(raw);
}

Result<std::string> local_ip_towards(const env::SocketAddress& to) {
    auto raw = to_raw(to);
    MUSTER_TRY(raw);
    const Fd fd(::socket(raw->storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!fd.valid() || ::connect(fd.raw(), raw->get(), raw->size) != 0) {
        return failure(Errc::unavailable, to, "find the way to", errno);
    }
    return local_address_of(fd.raw()).ip;
}

Error connection_error(int error_number) {
    const Errc code = error_number == ETIMEDOUT ? Errc::timeout : Errc::closed;
    return Error{code, std::strerror(error_number)};
}

}  // namespace muster::runtime
