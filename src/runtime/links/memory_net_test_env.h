#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "env/net.h"

namespace muster::runtime::testing_links {

// A network of nothing but memory: what is sent is handed over by pump(). While it is cut, bytes
// and dials get lost without a word.
class MemoryNetwork {
public:
    // The sockets of one node.
    class Face final : public env::Net {
    public:
        explicit Face(MemoryNetwork& network) : network_(network) {}

        Result<env::ListenerId> listen(const env::SocketAddress& at,
                                       env::ConnectionHandler& handler) override {
            network_.listeners_[at] = {this, &handler};
            address_ = at;
            return env::ListenerId(1);
        }
        [[nodiscard]] env::SocketAddress local_address(env::ListenerId /*id*/) const override {
            return address_;
        }
        void stop_listening(env::ListenerId /*id*/) override {
            network_.listeners_.erase(address_);
        }
        env::ConnId dial(const env::SocketAddress& to, env::ConnectionHandler& handler) override {
            ++dials;
            last_dialled = network_.dial(to, handler);
            return last_dialled;
        }
        void send(env::ConnId conn, std::string bytes) override {
            network_.send(conn, std::move(bytes));
        }
        void send(env::ConnId conn, std::string head, SharedBytes body, std::string tail) override {
            network_.send(conn, head + *body + tail);
        }
        [[nodiscard]] bool congested(env::ConnId /*conn*/) const override {
            return false;
        }
        [[nodiscard]] std::size_t queued_bytes(env::ConnId /*conn*/) const override {
            return 0;
        }
        void close(env::ConnId conn) override {
            network_.close(conn);
        }

        std::size_t dials = 0;
        env::ConnId last_dialled;

    private:
        MemoryNetwork& network_;
        env::SocketAddress address_;
    };

    // Hands over all that was sent, and what was sent because of it.
    void pump() {
        while (!events_.empty()) {
            const auto event = std::move(events_.front());
            events_.pop_front();
            event();
        }
    }

    bool cut = false;

private:
    struct End {
        env::ConnId other;
        env::ConnectionHandler* handler = nullptr;
    };

    env::ConnId dial(const env::SocketAddress& to, env::ConnectionHandler& handler) {
        const env::ConnId here(++last_id_);
        const env::ConnId there(++last_id_);
        ends_[here] = {.other = there, .handler = &handler};
        events_.push_back([this, here, there, to] {
            const auto end = ends_.find(here);
            if (end == ends_.end() || cut) {
                return;
            }
            const auto listener = listeners_.find(to);
            env::ConnectionHandler* dialler = end->second.handler;
            if (listener == listeners_.end()) {
                ends_.erase(end);
                dialler->on_closed(here, {Errc::closed, "nobody listens"});
                return;
            }
            ends_[there] = {.other = here, .handler = listener->second.second};
            listener->second.second->on_accepted(there, {.ip = "10.0.0.9", .port = 9});
            dialler->on_connected(here);
        });
        return here;
    }
    void send(env::ConnId from, std::string bytes) {
        const auto end = ends_.find(from);
        if (end == ends_.end()) {
            return;
        }
        const env::ConnId to = end->second.other;
        events_.push_back([this, to, bytes = std::move(bytes)] {
            const auto at = ends_.find(to);
            if (at != ends_.end() && !cut) {
                at->second.handler->on_bytes(to, bytes);
            }
        });
    }
    void close(env::ConnId from) {
        const auto end = ends_.find(from);
        if (end == ends_.end()) {
            return;
        }
        const env::ConnId to = end->second.other;
        ends_.erase(end);
        events_.push_back([this, to] {
            const auto at = ends_.find(to);
            if (at != ends_.end() && !cut) {
                env::ConnectionHandler* handler = at->second.handler;
                ends_.erase(at);
                handler->on_closed(to, {Errc::closed, "by the other end"});
            }
        });
    }

    std::map<env::SocketAddress, std::pair<Face*, env::ConnectionHandler*>> listeners_;
    std::map<env::ConnId, End> ends_;
    std::deque<std::function<void()>> events_;
    std::uint64_t last_id_ = 0;
};

}  // namespace muster::runtime::testing_links
