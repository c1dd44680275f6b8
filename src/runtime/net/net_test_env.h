#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "runtime/net/tcp_net.h"

namespace muster::runtime::testing_net {

// Keeps all that it hears; hooks do more.
class RecordingHandler final : public env::ConnectionHandler {
public:
    std::vector<env::ConnId> accepted;
    std::vector<env::SocketAddress> peers;
    std::vector<env::ConnId> connected;
    std::map<env::ConnId, std::string> bytes;
    std::size_t bytes_total = 0;
    std::vector<env::ConnId> drained;
    std::vector<std::pair<env::ConnId, Error>> closed;
    std::function<void(env::ConnId)> then_accepted;
    std::function<void(env::ConnId, std::string_view)> then_bytes;
    bool keep_bytes = true;
    bool in_call = false;

    void on_accepted(env::ConnId conn, const env::SocketAddress& peer) override {
        const Entered entered(*this);
        accepted.push_back(conn);
        peers.push_back(peer);
        if (then_accepted) {
            then_accepted(conn);
        }
    }
    void on_connected(env::ConnId conn) override {
        const Entered entered(*this);
        connected.push_back(conn);
    }
    void on_bytes(env::ConnId conn, std::string_view data) override {
        const Entered entered(*this);
        bytes_total += data.size();
        if (keep_bytes) {
            bytes[conn].append(data);
        }
        if (then_bytes) {
            then_bytes(conn, data);
        }
    }
    void on_drained(env::ConnId conn) override {
        const Entered entered(*this);
        drained.push_back(conn);
    }
    void on_closed(env::ConnId conn, const Error& why) override {
        const Entered entered(*this);
        closed.emplace_back(conn, why);
    }

private:
    // No call may come from within another.
    struct Entered {
        explicit Entered(RecordingHandler& handler) : self(handler) {
            EXPECT_FALSE(std::exchange(self.in_call, true));
        }
        ~Entered() {
            self.in_call = false;
        }
        RecordingHandler& self;
    };
};

// A loop and a TcpNet that listens on a free loopback port for `server`.
class NetFixture : public ::testing::Test {
protected:
    explicit NetFixture(TcpNetOptions options = {}) : options_(options) {
        auto made = Loop::create();
        EXPECT_TRUE(made.has_value());
        loop = std::move(*made);
        net = std::make_unique<TcpNet>(*loop, options);
        auto listening = net->listen({.ip = "127.0.0.1", .port = 0}, server);
        EXPECT_TRUE(listening.has_value());
        listener = *listening;
        address = net->local_address(listener);
    }

    // Runs the loop until `done`, looking every half millisecond; false after 20 s.
    bool run_until(const std::function<bool()>& done) {
        Poll poll;
        poll.done = &done;
        poll.loop = loop.get();
        LoopTimers timers(*loop);
        poll.timers = &timers;
        poll.deadline = loop->mono() + std::chrono::seconds(20);
        timers.bind(poll);
        timers.arm(env::TimerKey(0), Duration::zero());
        loop->run();
        return done();
    }

    // A plain blocking socket connected to the listener.
    [[nodiscard]] Fd raw_peer(int receive_buffer = 0) const {
        Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (receive_buffer > 0) {
            ::setsockopt(fd.raw(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
        }
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(address.port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::connect(fd.raw(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
        return fd;
    }

    // A raw peer and the connection it became.
    std::pair<Fd, env::ConnId> accepted_peer(int receive_buffer = 0) {
        const std::size_t before = server.accepted.size();
        Fd fd = raw_peer(receive_buffer);
        EXPECT_TRUE(run_until([&] { return server.accepted.size() > before; }));
        return {std::move(fd), server.accepted.back()};
    }

    TcpNetOptions options_;
    RecordingHandler server;
    RecordingHandler client;
    std::unique_ptr<Loop> loop;
    std::unique_ptr<TcpNet> net;
    env::ListenerId listener;
    env::SocketAddress address;

private:
    struct Poll final : env::TimerTarget {
        const std::function<bool()>* done = nullptr;
        Loop* loop = nullptr;
        LoopTimers* timers = nullptr;
        MonoTime deadline;

        void on_timer(env::TimerKey key) override {
            if ((*done)() || loop->mono() > deadline) {
                loop->stop();
            } else {
                timers->arm(key, std::chrono::microseconds(500));
            }
        }
    };
};

// Reads until `size` bytes or the end.
inline std::string read_fully(const Fd& fd, std::size_t size) {
    std::string all(size, '\0');
    std::size_t have = 0;
    while (have < size) {
        const ssize_t got = ::recv(fd.raw(), all.data() + have, size - have, 0);
        if (got <= 0) {
            break;
        }
        have += static_cast<std::size_t>(got);
    }
    all.resize(have);
    return all;
}

}  // namespace muster::runtime::testing_net
