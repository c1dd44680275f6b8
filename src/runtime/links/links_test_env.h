#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "msg/codec/cluster_codec.h"
#include "runtime/links/cluster_links.h"
#include "runtime/net/tcp_net.h"

namespace muster::runtime::testing_links {

using msg::LinkEvent;

inline const env::SocketAddress kAnyPort{.ip = "127.0.0.1", .port = 0};

struct Heard final : public LinkHandler {
    std::vector<std::pair<msg::RoleAddress, std::uint64_t>> messages;  // the seq of ChangeBatches
    std::vector<Role> addressed;
    std::vector<std::pair<std::uint8_t, std::string>> raw;
    Result<void> raw_outcome;
    std::vector<std::pair<NodeId, LinkEvent>> events;

    void on_link_message(const msg::RoleAddress& from, Role to,
                         msg::ClusterMessage message) override {
        messages.emplace_back(from, std::get<msg::ChangeBatch>(message).seq);
        addressed.push_back(to);
    }
    [[nodiscard]] Result<void> on_link_raw(const NodeId& /*from*/, std::uint8_t channel,
                                           std::string_view bytes) override {
        raw.emplace_back(channel, bytes);
        return raw_outcome;
    }
    void on_link_event(const NodeId& node, LinkEvent event) override {
        events.emplace_back(node, event);
    }
    [[nodiscard]] std::vector<LinkEvent> of(const NodeId& node) const {
        std::vector<LinkEvent> all;
        for (const auto& [who, event] : events) {
            if (who == node) {
                all.push_back(event);
            }
        }
        return all;
    }
};

// Log events as "name: why".
class Lines final : public LogSink {
public:
    std::vector<std::string> all;

    void write(LogLevel /*level*/, std::string_view event,
               std::initializer_list<LogField> fields) override {
        std::string line(event);
        for (const LogField& field : fields) {
            line += " " + std::string(field.key) + "=" + field.value;
        }
        all.push_back(line);
    }
    [[nodiscard]] bool has(std::string_view part) const {
        return std::ranges::any_of(
            all, [&](const std::string& line) { return line.find(part) != std::string::npos; });
    }
};

// One process: its sockets and its links. Going away closes its sockets, as a kill does.
struct Node {
    Node(Loop& loop, ClusterLinksOptions options, const env::SocketAddress& at = kAnyPort)
        : id(options.node), net(loop, {}), timers(loop) {
        links = std::make_unique<ClusterLinks>(std::move(options),
                                               ClusterLinksEnv{.net = net,
                                                               .timers = timers,
                                                               .clock = loop,
                                                               .prng = Prng(1),
                                                               .handler = heard,
                                                               .log = Log(lines, LogLevel::debug),
                                                               .nonce = {}});
        timers.bind(*links);
        const auto listening = links->listen(at);
        EXPECT_TRUE(listening.has_value()) << to_string(listening.error());
    }
    [[nodiscard]] env::SocketAddress address() const {
        return links->local_address();
    }
    void learn(const Node& other) {
        links->learn(other.id, other.address());
    }
    void send(const Node& to, std::uint64_t number) {
        links->send(Role::data, {.node = to.id, .role = Role::session},
                    msg::ChangeBatch{.seq = number});
    }
    [[nodiscard]] bool sees(const Node& other, LinkEvent event) const {
        return links->state(other.id) == event;
    }

    NodeId id;
    Lines lines;
    Heard heard;
    TcpNet net;
    LoopTimers timers;
    std::unique_ptr<ClusterLinks> links;
};

// Stands between a dialler and a node. While it is cut, connections are accepted and their bytes
// are lost; those that were open then stay mute for good.
class Relay final : private env::ConnectionHandler {
public:
    Relay(Loop& loop, env::SocketAddress target) : net_(loop, {}), target_(std::move(target)) {
        listener_ = *net_.listen(kAnyPort, *this);
    }
    [[nodiscard]] env::SocketAddress address() const {
        return net_.local_address(listener_);
    }
    void drop_all() {
        for (const auto& [conn, side] : sides_) {
            net_.close(conn);
        }
        sides_.clear();
    }

    bool cut = false;

private:
    struct Side {
        env::ConnId other;
        bool mute = false;
    };
    void on_accepted(env::ConnId conn, const env::SocketAddress& /*peer*/) override {
        if (cut) {
            sides_[conn].mute = true;
            return;
        }
        const env::ConnId onward = net_.dial(target_, *this);
        sides_[conn].other = onward;
        sides_[onward].other = conn;
    }
    void on_connected(env::ConnId /*conn*/) override {}
    void on_bytes(env::ConnId conn, std::string_view bytes) override {
        Side& side = sides_[conn];
        side.mute = side.mute || cut;
        if (!side.mute) {
            net_.send(side.other, std::string(bytes));
        }
    }
    void on_drained(env::ConnId /*conn*/) override {}
    void on_closed(env::ConnId conn, const Error& /*why*/) override {
        const Side side = sides_[conn];
        sides_.erase(conn);
        if (!side.mute && sides_.contains(side.other) && !sides_[side.other].mute) {
            net_.close(side.other);
            sides_.erase(side.other);
        }
    }

    TcpNet net_;
    env::SocketAddress target_;
    env::ListenerId listener_;
    std::map<env::ConnId, Side> sides_;
};

class LinksFixture : public ::testing::Test {
protected:
    LinksFixture() : loop(std::move(*Loop::create())) {}

    [[nodiscard]] static ClusterLinksOptions options(const std::string& node) {
        return {.cluster = "test",
                .secret = "a secret of all nodes",
                .node = NodeId(node),
                .folder = std::hash<std::string>{}(node),
                .incarnation = Incarnation(1)};
    }
    [[nodiscard]] std::unique_ptr<Node> start(const std::string& name) {
        return start(options(name));
    }
    [[nodiscard]] std::unique_ptr<Node> start(ClusterLinksOptions with,
                                              const env::SocketAddress& at = kAnyPort) {
        return std::make_unique<Node>(*loop, std::move(with), at);
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
    void run_for(Duration duration) {
        const MonoTime end = loop->mono() + duration;
        static_cast<void>(run_until([&] { return loop->mono() >= end; }));
    }
    bool link(Node& dialler, Node& accepter) {
        dialler.learn(accepter);
        return run_until([&] {
            return dialler.sees(accepter, LinkEvent::up) && accepter.sees(dialler, LinkEvent::up);
        });
    }

    std::unique_ptr<Loop> loop;

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

}  // namespace muster::runtime::testing_links
