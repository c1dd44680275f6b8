#include "apps/demo/tiny_http.h"

#include <array>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace muster::demo {
namespace {

constexpr std::size_t kMessageBytesMax = 64 * 1024;

void limit_waiting(int fd) {
    constexpr timeval kPatience{.tv_sec = 1, .tv_usec = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
}

// Until `end` was read, or, when it is empty, until the peer closes.
std::string read_until(int fd, std::string_view end) {
    std::string text;
    std::array<char, 4096> part;
    while (text.size() < kMessageBytesMax && (end.empty() || text.find(end) == std::string::npos)) {
        const auto size = ::recv(fd, part.data(), part.size(), 0);
        if (size <= 0) {
            break;
        }
        text.append(part.data(), static_cast<std::size_t>(size));
    }
    return text;
}

void send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto size = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (size <= 0) {
            return;
        }
        bytes.remove_prefix(static_cast<std::size_t>(size));
    }
}

sockaddr_in address_of(const char* ip, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    ::inet_pton(AF_INET, ip, &address.sin_addr);
    return address;
}

}  // namespace

std::optional<std::pair<int, std::uint16_t>> listen_local(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address = address_of("127.0.0.1", port);
    socklen_t size = sizeof address;
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
        ::listen(fd, 64) != 0 ||
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        ::close(fd);
        return std::nullopt;
    }
    return std::pair(fd, ntohs(address.sin_port));
}

std::optional<std::string> http_get(const std::string& ip, std::uint16_t port,
                                    const std::string& path) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    limit_waiting(fd);
    const sockaddr_in address = address_of(ip.c_str(), port);
    std::string answer;
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
        send_all(fd, "GET " + path + " HTTP/1.0\r\nHost: " + ip + "\r\n\r\n");
        answer = read_until(fd, "");
    }
    ::close(fd);
    const auto body = answer.find("\r\n\r\n");
    if (!answer.starts_with("HTTP/1.") || answer.substr(8, 5) != " 200 " ||
        body == std::string::npos) {
        return std::nullopt;
    }
    return answer.substr(body + 4);
}

std::string read_request_path(int connection) {
    limit_waiting(connection);
    const std::string request = read_until(connection, "\r\n\r\n");
    const auto from = request.find(' ');
    const auto to = request.find(' ', from + 1);
    return from == std::string::npos || to == std::string::npos
               ? std::string()
               : request.substr(from + 1, to - from - 1);
}

void answer_text(int connection, const std::string& body) {
    send_all(connection, "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " +
                             std::to_string(body.size()) + "\r\n\r\n" + body);
}

}  // namespace muster::demo
