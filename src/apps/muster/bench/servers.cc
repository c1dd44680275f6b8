#include "apps/muster/bench/servers.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>

#include "apps/load/java_frames.h"
#include "apps/load/machine.h"
#include "apps/load/native_frames.h"
#include "runtime/loop/fd.h"
#include "wire/bolt/frame_decoder.h"

namespace muster::cli::bench {
namespace {

constexpr const char* kWhichPort =
    "give the client port (bolt.listen, 9600 unless it was changed) with --server";
// The part of the patience after which a silent peer is asked once more, as an HTTP server would
// understand it.
constexpr int kNudgeAfter = 2;

// Whether something can be done with the socket before `deadline`.
bool await(int fd, short what, Duration deadline) {
    const auto left_ms = to_ms(deadline - load::now());
    pollfd wanted{.fd = fd, .events = what, .revents = 0};
    return left_ms > 0 && ::poll(&wanted, 1, static_cast<int>(left_ms)) > 0;
}

Result<void> connect_to(const runtime::Fd& socket, const Address& server, Duration deadline) {
    ::fcntl(socket.raw(), F_SETFL, O_NONBLOCK);
    if (::connect(socket.raw(), reinterpret_cast<const sockaddr*>(&server.at), server.size) == 0) {
        return {};
    }
    int error = errno;
    if (error == EINPROGRESS) {
        if (!await(socket.raw(), POLLOUT, deadline)) {
            return fail(Errc::unavailable, server.text +
                                               " does not answer at all: is the host right, and is "
                                               "there a firewall between?");
        }
        socklen_t size = sizeof(error);
        ::getsockopt(socket.raw(), SOL_SOCKET, SO_ERROR, &error, &size);
    }
    if (error == ECONNREFUSED) {
        return fail(Errc::unavailable, "nothing listens at " + server.text +
                                           " (connection refused): start the server, or " +
                                           kWhichPort);
    }
    return error == 0 ? Result<void>{}
                      : fail(Errc::unavailable, server.text + ": " + std::strerror(error));
}

bool on_same_host(int fd) {
    sockaddr_storage own{};
    sockaddr_storage peer{};
    socklen_t own_size = sizeof(own);
    socklen_t peer_size = sizeof(peer);
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &own_size) != 0 ||
        ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0 ||
        own.ss_family != peer.ss_family) {
        return false;
    }
    if (own.ss_family == AF_INET) {
        return reinterpret_cast<const sockaddr_in*>(&own)->sin_addr.s_addr ==
               reinterpret_cast<const sockaddr_in*>(&peer)->sin_addr.s_addr;
    }
    return std::memcmp(&reinterpret_cast<const sockaddr_in6*>(&own)->sin6_addr,
                       &reinterpret_cast<const sockaddr_in6*>(&peer)->sin6_addr,
                       sizeof(in6_addr)) == 0;
}

Result<void> await_answer(int fd, const Address& server, Speech speech, Duration patience) {
    const Duration deadline = load::now() + patience;
    std::string got;
    std::array<char, 4096> buffer;
    bool nudged = false;
    while (true) {
        const Duration until = nudged ? deadline : deadline - patience / kNudgeAfter;
        if (!await(fd, POLLIN, until)) {
            if (nudged) {
                return fail(Errc::timeout,
                            server.text +
                                " takes connections but does not answer: it is no Muster's "
                                "client port, or a server that hangs; " +
                                kWhichPort);
            }
            nudged = true;
            static_cast<void>(::send(fd, "\r\n\r\n", 4, MSG_NOSIGNAL));
            continue;
        }
        const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), 0);
        if (count <= 0) {
            return fail(Errc::closed, server.text +
                                          " closed the connection without an answer: it is no "
                                          "Muster's client port, or has too many clients; " +
                                          kWhichPort);
        }
        got.append(buffer.data(), static_cast<std::size_t>(count));
        const auto whole = is_answer(got, server.text, speech);
        if (!whole) {
            return std::unexpected(whole.error());
        }
        if (*whole) {
            return {};
        }
    }
}

Result<Address> find_server(const std::string& text) {
    if (text.starts_with("http://") || text.starts_with("https://")) {
        return fail(Errc::invalid_argument, "'" + text + "' is an HTTP address: " + kWhichPort);
    }
    const auto colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0 || colon + 1 == text.size()) {
        return fail(Errc::invalid_argument, "'" + text + "' is not of the form host:port");
    }
    std::string host = text.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    }
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(host.c_str(), text.c_str() + colon + 1, &hints, &found);
    if (error != 0) {
        return fail(Errc::unavailable, text + ": " + ::gai_strerror(error));
    }
    Address address{.text = text};
    std::memcpy(&address.at, found->ai_addr, found->ai_addrlen);
    address.size = found->ai_addrlen;
    ::freeaddrinfo(found);
    return address;
}

}  // namespace

Result<std::vector<Address>> find_servers(std::string_view text) {
    std::vector<Address> servers;
    while (true) {
        const auto comma = text.find(',');
        auto server = find_server(std::string(text.substr(0, comma)));
        if (!server) {
            return std::unexpected(std::move(server).error());
        }
        servers.push_back(std::move(*server));
        if (comma == std::string_view::npos) {
            return servers;
        }
        text.remove_prefix(comma + 1);
    }
}

std::string explain_answer(std::string_view bytes) {
    if (bytes.starts_with("HTTP/")) {
        return std::string("speaks HTTP, it is not the client port: ") + kWhichPort;
    }
    return std::string("answers in a protocol that is not Muster's: ") + kWhichPort;
}

Result<bool> is_answer(std::string_view bytes, const std::string& server, Speech speech) {
    const auto decoded = bolt::decode_frame(bytes, {});
    if (decoded.outcome == bolt::Decode::need_more) {
        return false;
    }
    if (decoded.outcome != bolt::Decode::message) {
        return fail(Errc::bad_frame, server + " " + explain_answer(bytes));
    }
    if (!decoded.frame.head.is_response()) {
        return fail(Errc::bad_frame,
                    server +
                        " speaks SOFABolt but asks where it should answer: it is no "
                        "registry's client port; " +
                        kWhichPort);
    }
    if (speech == Speech::native && !load::native_reply(decoded.frame).has_value()) {
        return fail(Errc::bad_frame,
                    server +
                        " speaks SOFABolt but not Muster's native protocol: it is another "
                        "registry, or an older release; with --dialect java the clients "
                        "speak as SOFARegistry's do");
    }
    return true;
}

Result<Greeting> greet(const Address& server, Speech speech, Duration patience) {
    const runtime::Fd socket(::socket(server.at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket.valid()) {
        return fail(Errc::unavailable, std::string("no socket: ") + std::strerror(errno));
    }
    MUSTER_TRY(connect_to(socket, server, load::now() + patience));
    const std::string nothing = speech == Speech::java
                                    ? load::java_heartbeat()
                                    : load::native_frame(msg::UnregisterPublishers{
                                          .request = msg::RequestId(1), .items = {}});
    static_cast<void>(::send(socket.raw(), nothing.data(), nothing.size(), MSG_NOSIGNAL));
    MUSTER_TRY(await_answer(socket.raw(), server, speech, patience));
    return Greeting{.same_host = on_same_host(socket.raw())};
}

}  // namespace muster::cli::bench
