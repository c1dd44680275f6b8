#include "sockets.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace muster::bench {
namespace {

std::array<char, 1 << 18>& buffer() {
    thread_local std::array<char, 1 << 18> bytes;
    return bytes;
}

}  // namespace

void die(const std::string& what) {
    std::fprintf(stderr, "muster-bench: %s\n", what.c_str());
    std::exit(1);
}

Connection::Connection(FromFd, int fd)
    : fd_(fd),
      reader_(std::make_unique<bolt::FrameReader>(
          bolt::FrameLimits{.frame_bytes_max = std::size_t{64} << 20U})) {}

Connection::Connection(std::uint16_t port)
    : Connection(FromFd{}, ::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd_ < 0 || ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof(to)) != 0) {
        die("connect to 127.0.0.1:" + std::to_string(port) + ": " + std::strerror(errno));
    }
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

Connection Connection::adopt(int fd) {
    return {FromFd{}, fd};
}

Connection::Connection(Connection&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      reader_(std::move(other.reader_)),
      bytes_read_(other.bytes_read_) {}

Connection::~Connection() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

void Connection::send(std::string_view bytes) const {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) {
            die(std::string("send: ") + std::strerror(errno));
        }
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

void Connection::receive_exactly(std::size_t bytes) {
    while (bytes > 0) {
        const ssize_t got =
            ::recv(fd_, buffer().data(), std::min(bytes, buffer().size()), MSG_WAITALL);
        if (got <= 0) {
            die(std::string("receive: ") + (got == 0 ? "closed" : std::strerror(errno)));
        }
        bytes -= static_cast<std::size_t>(got);
    }
}

std::string_view Connection::read_some(bool wait) {
    const ssize_t got = ::recv(fd_, buffer().data(), buffer().size(), wait ? 0 : MSG_DONTWAIT);
    if (got < 0 && !wait && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        return {};
    }
    if (got <= 0) {
        die(std::string("receive: ") + (got == 0 ? "closed by the server" : std::strerror(errno)));
    }
    bytes_read_ += static_cast<std::uint64_t>(got);
    return {buffer().data(), static_cast<std::size_t>(got)};
}

bolt::Frame Connection::next_frame() {
    while (true) {
        const bolt::DecodedFrame decoded = reader_->next();
        if (decoded.outcome == bolt::Decode::message) {
            return decoded.frame;
        }
        if (decoded.outcome != bolt::Decode::need_more) {
            die("a frame that is none: " + std::string(decoded.why));
        }
        reader_->feed(read_some(true));
    }
}

}  // namespace muster::bench
