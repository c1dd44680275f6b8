#include "apps/muster/bench/crowd.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "apps/load/machine.h"
#include "base/check.h"

namespace muster::cli::bench {
namespace {

constexpr std::size_t kConnectingMax = 256;
constexpr Duration kBeatStep = std::chrono::milliseconds(100);
// Each connection is beaten once in so many steps; servers close who is silent for 15 s.
constexpr std::size_t kBeatSteps = 40;
constexpr std::uint64_t kTimer = UINT64_MAX;
constexpr std::size_t kFrameMax = std::size_t{64} << 20U;

std::array<char, 1 << 18>& read_buffer() {
    static std::array<char, 1 << 18> bytes;
    return bytes;
}

}  // namespace

Crowd::Crowd(std::vector<Address> servers, Dialect& dialect, Ears& ears, std::function<bool()> stop)
    : servers_(std::move(servers)),
      dialect_(dialect),
      ears_(ears),
      stop_(std::move(stop)),
      poll_(::epoll_create1(EPOLL_CLOEXEC)),
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
      heartbeat_(dialect.heartbeat()) {
    CHECK(!servers_.empty() && poll_ >= 0 && timer_ >= 0);
    epoll_event event{.events = EPOLLIN, .data = {.u64 = kTimer}};
    CHECK(::epoll_ctl(poll_, EPOLL_CTL_ADD, timer_, &event) == 0);
}

Crowd::~Crowd() {
    for (Wire& wire : wires_) {
        close(wire);
    }
    ::close(timer_);
    ::close(poll_);
}

void Crowd::close(Wire& wire) {
    if (wire.fd >= 0) {
        ::close(std::exchange(wire.fd, -1));
        wire.unsent.clear();
        connecting_ -= wire.connecting ? 1 : 0;
        connected_ -= wire.connecting ? 0 : 1;
        wire.connecting = false;
    }
}

void Crowd::connect(std::size_t count) {
    wanted_ = wires_.size() + count;
    open_some();
}

void Crowd::open_some() {
    while (wires_.size() < wanted_ && connecting_ < kConnectingMax && !failure_) {
        open_one();
    }
}

void Crowd::open_one() {
    const std::size_t conn = wires_.size();
    Wire& wire = wires_.emplace_back();
    wire.server = &servers_[conn % servers_.size()];
    wire.fd = ::socket(wire.server->at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    wire.connecting = true;
    ++connecting_;
    if (wire.fd < 0) {
        const int error = errno;
        --connecting_;
        wire.connecting = false;
        lose(conn, Errc::unavailable,
             std::string("a connection cannot be opened: ") + std::strerror(error));
        return;
    }
    wire.reader =
        std::make_unique<bolt::FrameReader>(bolt::FrameLimits{.frame_bytes_max = kFrameMax});
    const int result =
        ::connect(wire.fd, reinterpret_cast<const sockaddr*>(&wire.server->at), wire.server->size);
    if (result != 0 && errno != EINPROGRESS) {
        lose(conn, Errc::unavailable, std::strerror(errno));
        return;
    }
    watch(conn, EPOLL_CTL_ADD);
}

void Crowd::watch(std::size_t conn, int operation) const {
    const Wire& wire = wires_[conn];
    const bool writes = wire.connecting || !wire.unsent.empty();
    epoll_event event{.events = EPOLLIN | (writes ? static_cast<std::uint32_t>(EPOLLOUT) : 0U),
                      .data = {.u64 = conn}};
    CHECK(::epoll_ctl(poll_, operation, wire.fd, &event) == 0);
}

void Crowd::on_connected(std::size_t conn) {
    Wire& wire = wires_[conn];
    int error = 0;
    socklen_t size = sizeof(error);
    ::getsockopt(wire.fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
        lose(conn, Errc::unavailable, std::strerror(error));
        return;
    }
    const int on = 1;
    ::setsockopt(wire.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    wire.connecting = false;
    --connecting_;
    ++connected_;
    watch(conn, EPOLL_CTL_MOD);
    if (on_open_) {
        on_open_(conn);
    }
    open_some();
}

void Crowd::say(std::size_t conn, const msg::ClientMessage& message) {
    send(conn, wires_[conn].takes_packed ? dialect_.say(message) : dialect_.say_unpacked(message));
}

void Crowd::send(std::size_t conn, std::string_view bytes) {
    Wire& wire = wires_[conn];
    if (wire.fd < 0 || bytes.empty()) {
        return;
    }
    const bool waits = !wire.unsent.empty() || wire.connecting;
    wire.unsent.append(bytes);
    if (wire.unsent.size() > kUnsentMax) {
        lose(conn, Errc::busy, "the server does not read what it is sent");
    } else if (!waits) {
        flush(conn);
        if (wire.fd >= 0 && !wire.unsent.empty()) {
            watch(conn, EPOLL_CTL_MOD);
        }
    }
}

void Crowd::flush(std::size_t conn) {
    Wire& wire = wires_[conn];
    std::size_t sent = 0;
    while (sent < wire.unsent.size()) {
        const ssize_t count =
            ::send(wire.fd, wire.unsent.data() + sent, wire.unsent.size() - sent, MSG_NOSIGNAL);
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            break;
        }
        if (count <= 0) {
            lose(conn, Errc::closed, std::string("send: ") + std::strerror(errno));
            return;
        }
        sent += static_cast<std::size_t>(count);
    }
    bytes_sent_ += sent;
    wire.unsent.erase(0, sent);
}

void Crowd::drop(std::size_t conn) {
    close(wires_[conn]);
}

void Crowd::lose(std::size_t conn, Errc code, const std::string& why) {
    const std::string at = wires_[conn].server->text;
    const std::size_t others = connected_;
    close(wires_[conn]);
    if (!forgiving_ && !failure_) {
        failure_ = Error{
            code, at + ": " + why + " (" + std::to_string(others) + " connections were open)"};
    }
}

void Crowd::forgive() {
    forgiving_ = true;
    failure_.reset();
    wanted_ = wires_.size();
}

void Crowd::on_event(std::size_t conn, std::uint32_t events) {
    Wire& wire = wires_[conn];
    if (wire.fd >= 0 && wire.connecting) {
        on_connected(conn);
    }
    if (wire.fd >= 0 && (events & EPOLLOUT) != 0 && !wire.unsent.empty()) {
        flush(conn);
        if (wire.fd >= 0 && wire.unsent.empty()) {
            watch(conn, EPOLL_CTL_MOD);
        }
    }
    if (wire.fd >= 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
        on_readable(conn);
    }
}

void Crowd::on_readable(std::size_t conn) {
    const ssize_t count =
        ::recv(wires_[conn].fd, read_buffer().data(), read_buffer().size(), MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        return;
    }
    if (count <= 0) {
        lose(conn, Errc::closed,
             count == 0 ? "the server closed a connection; it ended, or has a limit that this load "
                          "passed: bolt.connections_max, open files"
                        : std::string("receive: ") + std::strerror(errno));
        return;
    }
    bytes_received_ += static_cast<std::uint64_t>(count);
    wires_[conn].received += static_cast<std::uint64_t>(count);
    read_frames(conn, {read_buffer().data(), static_cast<std::size_t>(count)}, load::now());
}

void Crowd::read_frames(std::size_t conn, std::string_view bytes, Duration at) {
    bolt::FrameReader& reader = *wires_[conn].reader;
    reader.feed(bytes);
    while (wires_[conn].fd >= 0) {
        const bolt::DecodedFrame decoded = reader.next();
        if (decoded.outcome == bolt::Decode::need_more) {
            return;
        }
        if (decoded.outcome != bolt::Decode::message) {
            lose(conn, Errc::bad_frame, std::string(decoded.why) + " came instead of a frame");
            return;
        }
        take(conn, decoded.frame, at);
    }
}

void Crowd::take(std::size_t conn, const bolt::Frame& frame, Duration at) {
    if (frame.head.is_heartbeat()) {
        return;
    }
    auto heard = dialect_.hear(frame);
    if (!heard) {
        lose(conn, heard.error().code, heard.error().detail);
        return;
    }
    if (heard->answer) {
        ears_.on_reply(conn, heard->answer->request, heard->answer->reply, at);
    }
    send(conn, heard->at_once);
    if (heard->push) {
        ears_.on_push(conn, *heard->push, at);
    }
}

std::uint64_t Crowd::bytes_received(std::size_t first, std::size_t count) const {
    std::uint64_t sum = 0;
    for (std::size_t conn = first; conn < first + count; ++conn) {
        sum += wires_[conn].received;
    }
    return sum;
}

void Crowd::beat(Duration now) {
    if (now < next_beat_) {
        return;
    }
    next_beat_ = now + kBeatStep;
    const std::size_t count = wires_.size();
    const std::size_t share = std::min(count, count / kBeatSteps + 1);
    for (std::size_t i = 0; i < share; ++i, ++beat_from_) {
        const std::size_t conn = beat_from_ % count;
        if (is_open(conn) && !wires_[conn].connecting) {
            send(conn, heartbeat_);
        }
    }
}

void Crowd::arm(Duration until) const {
    const std::int64_t ns = std::max<std::int64_t>(until.count(), 1);
    const itimerspec at{.it_interval = {},
                        .it_value = {.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000}};
    CHECK(::timerfd_settime(timer_, TFD_TIMER_ABSTIME, &at, nullptr) == 0);
}

void Crowd::wait() {
    std::array<epoll_event, 512> events;
    const int ready = ::epoll_wait(poll_, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.u64 == kTimer) {
            std::uint64_t expired = 0;
            static_cast<void>(::read(timer_, &expired, sizeof(expired)));
        } else if (wires_[event.data.u64].fd >= 0) {
            on_event(event.data.u64, event.events);
        }
    }
}

Result<Crowd::Ended> Crowd::run(const std::function<bool()>& done, Duration deadline) {
    while (true) {
        if (failure_) {
            return std::unexpected(*failure_);
        }
        if (done()) {
            return Ended::done;
        }
        if (!forgiving_ && stop_()) {
            return Ended::stopped;
        }
        const Duration now = load::now();
        if (now >= deadline) {
            return Ended::late;
        }
        beat(now);
        if (on_turn_) {
            on_turn_();
        }
        arm(std::min(deadline, next_beat_));
        wait();
    }
}

}  // namespace muster::cli::bench
