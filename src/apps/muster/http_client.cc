#include "apps/muster/http_client.h"

#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <utility>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include "runtime/loop/fd.h"

namespace muster::cli {
namespace {

constexpr std::uint64_t kBodyBytesMax = std::uint64_t{256} << 20U;

void set_patience(int fd, Duration patience) {
    const auto ms = to_ms(patience);
    const timeval limit{.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

// "host:port" of what a person wrote, who may have copied a URL.
std::string_view authority_of(std::string_view server) {
    constexpr std::string_view kScheme = "http://";
    if (server.starts_with(kScheme)) {
        server.remove_prefix(kScheme.size());
    }
    return server.ends_with('/') ? server.substr(0, server.size() - 1) : server;
}

Result<runtime::Fd> connect_to(std::string_view server, Duration patience) {
    const auto colon = server.rfind(':');
    if (colon == std::string_view::npos || colon == 0 || colon + 1 == server.size()) {
        return fail(Errc::invalid_argument,
                    "'" + std::string(server) + "' is not of the form host:port");
    }
    std::string host(server.substr(0, colon));
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    }
    const std::string port(server.substr(colon + 1));
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0) {
        return fail(Errc::unavailable, std::string(server) + ": " + ::gai_strerror(error));
    }
    int last_error = ECONNREFUSED;
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
        runtime::Fd socket(::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, at->ai_protocol));
        if (!socket.valid()) {
            last_error = errno;
            continue;
        }
        set_patience(socket.raw(), patience);
        if (::connect(socket.raw(), at->ai_addr, at->ai_addrlen) == 0) {
            ::freeaddrinfo(found);
            return socket;
        }
        last_error = errno;
    }
    ::freeaddrinfo(found);
    return fail(Errc::unavailable, std::string(server) + ": " + std::strerror(last_error));
}

Result<void> send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) {
            return fail(Errc::unavailable, std::string("send: ") + std::strerror(errno));
        }
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
}

Result<HttpAnswer> read_answer(int fd) {
    namespace http = boost::beast::http;
    http::response_parser<http::string_body> parser;
    parser.body_limit(kBodyBytesMax);
    parser.eager(true);
    std::array<char, 65536> buffer;
    std::string pending;
    while (!parser.is_done()) {
        const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
        boost::beast::error_code error;
        if (got < 0) {
            return errno == EAGAIN || errno == EWOULDBLOCK
                       ? fail(Errc::timeout, "the registry did not answer in time")
                       : fail(Errc::unavailable, std::string("receive: ") + std::strerror(errno));
        }
        if (got == 0) {
            if (parser.got_some()) {
                parser.put_eof(error);
            }
            if (error || !parser.is_done()) {
                return fail(Errc::closed, "no HTTP answer came");
            }
            break;
        }
        pending.append(buffer.data(), static_cast<std::size_t>(got));
        const std::size_t used =
            parser.put(boost::asio::buffer(pending.data(), pending.size()), error);
        pending.erase(0, used);
        if (error && error != http::error::need_more) {
            return fail(Errc::bad_frame, "that is not an HTTP answer: " + error.message());
        }
    }
    auto message = parser.release();
    return HttpAnswer{.status = message.result_int(), .body = std::move(message.body())};
}

}  // namespace

Result<HttpAnswer> http_request(std::string_view method, std::string_view server,
                                std::string_view target, std::string_view body, Duration patience) {
    server = authority_of(server);
    auto socket = connect_to(server, patience);
    if (!socket) {
        return std::unexpected(std::move(socket).error());
    }
    std::string request;
    request.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: ").append(server);
    request += "\r\nConnection: close\r\n";
    if (!body.empty()) {
        request +=
            "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
            "\r\n";
    }
    request += "\r\n";
    request += body;
    MUSTER_TRY(send_all(socket->raw(), request));
    auto answer = read_answer(socket->raw());
    if (!answer) {
        return wrap(std::string(server) + " (is it a muster server's HTTP port?)",
                    std::move(answer).error());
    }
    return answer;
}

std::string percent_encode(std::string_view text) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string encoded;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) {
            encoded += c;
        } else {
            encoded += '%';
            encoded += kDigits[byte >> 4U];
            encoded += kDigits[byte & 15U];
        }
    }
    return encoded;
}

}  // namespace muster::cli
