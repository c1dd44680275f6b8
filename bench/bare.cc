#include "bare.h"

#include <array>
#include <functional>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sockets.h"

namespace muster::bench {
namespace {

struct Child {
    pid_t pid = -1;
    std::uint16_t port = 0;
};

// Forks a process that runs `serve` with a listening loopback socket.
Child fork_listening(const std::function<void(int)>& serve) {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(at);
    if (::bind(listener, reinterpret_cast<sockaddr*>(&at), sizeof(at)) != 0 ||
        ::listen(listener, 4096) != 0 ||
        ::getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size) != 0) {
        die("cannot listen on loopback");
    }
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(listener);
        ::_exit(0);
    }
    ::close(listener);
    return {.pid = pid, .port = ntohs(at.sin_port)};
}

int accept_one(int listener) {
    const int fd = ::accept(listener, nullptr, nullptr);
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

void end(pid_t pid) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
}

void write_all(int fd, const char* bytes, std::size_t size) {
    while (size > 0) {
        const ssize_t sent = ::send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            ::_exit(0);
        }
        bytes += sent;
        size -= static_cast<std::size_t>(sent);
    }
}

void relay(int listener) {
    const int from = accept_one(listener);
    const int to = accept_one(listener);
    std::array<char, 65536> buffer;
    ssize_t got = 0;
    while ((got = ::recv(from, buffer.data(), buffer.size(), 0)) > 0) {
        write_all(to, buffer.data(), static_cast<std::size_t>(got));
    }
}

void fan_out(int listener, std::size_t connections, const std::string& message) {
    const int poll = ::epoll_create1(0);
    std::vector<int> subscribers;
    for (std::size_t i = 0; i < connections; ++i) {
        subscribers.push_back(accept_one(listener));
        epoll_event event{.events = EPOLLIN, .data = {.fd = subscribers.back()}};
        ::epoll_ctl(poll, EPOLL_CTL_ADD, subscribers.back(), &event);
    }
    const int trigger = accept_one(listener);
    epoll_event event{.events = EPOLLIN, .data = {.fd = trigger}};
    ::epoll_ctl(poll, EPOLL_CTL_ADD, trigger, &event);
    std::array<char, 65536> buffer;
    std::array<epoll_event, 256> events;
    while (true) {
        const int ready = ::epoll_wait(poll, events.data(), events.size(), -1);
        for (int i = 0; i < ready; ++i) {
            const int fd = events[static_cast<std::size_t>(i)].data.fd;
            const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
            if (got <= 0) {
                return;
            }
            if (fd != trigger) {
                continue;
            }
            for (const int subscriber : subscribers) {
                write_all(subscriber, message.data(), message.size());
            }
        }
    }
}

}  // namespace

BareRelay::BareRelay() {
    const Child child = fork_listening(relay);
    pid_ = child.pid;
    port_ = child.port;
}

BareRelay::~BareRelay() {
    end(pid_);
}

BareFanout::BareFanout(std::size_t connections, std::string message) {
    const Child child = fork_listening(
        [connections, &message](int listener) { fan_out(listener, connections, message); });
    pid_ = child.pid;
    port_ = child.port;
}

BareFanout::~BareFanout() {
    end(pid_);
}

}  // namespace muster::bench
