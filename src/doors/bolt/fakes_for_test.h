#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "env/clock.h"
#include "env/net.h"
#include "env/timers.h"
#include "roles/session/client_face.h"

// For tests only.
namespace muster::doors::fakes {

// Remembers what was sent and closed; port 1 is in use.
class FakeNet final : public env::Net {
public:
    Result<env::ListenerId> listen(const env::SocketAddress& at,
                                   env::ConnectionHandler& /*handler*/) override {
        if (at.port == 1) {
            return fail(Errc::address_in_use, "bind");
        }
        local = at;
        listening = true;
        return env::ListenerId(1);
    }
    env::SocketAddress local_address(env::ListenerId /*listener*/) const override {
        return local;
    }
    void stop_listening(env::ListenerId /*listener*/) override {
        listening = false;
    }
    env::ConnId dial(const env::SocketAddress& /*to*/,
                     env::ConnectionHandler& /*handler*/) override {
        return {};
    }
    void send(env::ConnId conn, std::string bytes) override {
        if (!closed.contains(conn)) {
            sent[conn] += bytes;
        }
    }
    void send(env::ConnId conn, std::string head, SharedBytes body, std::string tail) override {
        if (closed.contains(conn)) {
            return;
        }
        sent[conn] += head + *body + tail;
        bodies.push_back(std::move(body));
    }
    bool congested(env::ConnId conn) const override {
        return congested_conns.contains(conn);
    }
    std::size_t queued_bytes(env::ConnId /*conn*/) const override {
        return 0;
    }
    void stop_reading(env::ConnId conn) override {
        stopped.insert(conn);
    }
    void go_on_reading(env::ConnId conn) override {
        stopped.erase(conn);
    }
    void close(env::ConnId conn) override {
        closed.insert(conn);
    }

    std::string take(env::ConnId conn) {
        return std::exchange(sent[conn], {});
    }

    env::SocketAddress local;
    bool listening = false;
    std::map<env::ConnId, std::string> sent;
    std::vector<SharedBytes> bodies;
    std::set<env::ConnId> closed;
    std::set<env::ConnId> congested_conns;
    std::set<env::ConnId> stopped;
};

// Stands still until the test moves it.
class FakeClock final : public env::Clock {
public:
    MonoTime mono() const override {
        return now;
    }
    WallTime wall() const override {
        return {};
    }

    MonoTime now{};
};

// Remembers what is armed; the test fires.
class FakeTimers final : public env::Timers {
public:
    void arm(env::TimerKey key, Duration delay) override {
        armed[key] = delay;
    }
    void cancel(env::TimerKey key) override {
        armed.erase(key);
    }

    std::map<env::TimerKey, Duration> armed;
};

// Remembers what doors tell it; answers each request with `outcome`, from within, unless told not
// to.
class FakeSession final : public session::ClientFace {
public:
    void on_client_open(env::ConnId conn, session::ClientInfo info,
                        msg::ClientPort& port) override {
        opened.emplace_back(conn, std::move(info));
        ports[conn] = &port;
    }
    void on_client_message(env::ConnId conn, const msg::ClientMessage& message) override {
        messages.emplace_back(conn, message);
        if (close_on_message) {
            ports[conn]->close(conn, {Errc::refused, "not welcome"});
            return;
        }
        if (answer_at_once) {
            answer(conn, message);
        }
    }
    void on_client_drained(env::ConnId conn) override {
        drained.push_back(conn);
    }
    void on_client_closed(env::ConnId conn) override {
        closed.push_back(conn);
    }
    const std::string& center() const override {
        return center_name;
    }
    std::vector<std::string> server_list() const override {
        return {};
    }

    template <typename T>
    std::vector<T> all() const {
        std::vector<T> found;
        for (const auto& [conn, message] : messages) {
            if (const auto* as = std::get_if<T>(&message)) {
                found.push_back(*as);
            }
        }
        return found;
    }

    std::vector<std::pair<env::ConnId, session::ClientInfo>> opened;
    std::vector<std::pair<env::ConnId, msg::ClientMessage>> messages;
    std::vector<env::ConnId> drained;
    std::vector<env::ConnId> closed;
    std::map<env::ConnId, msg::ClientPort*> ports;
    std::string center_name{kDefaultCenter};
    bool answer_at_once = true;
    bool close_on_message = false;
    Result<void> outcome;

private:
    void answer(env::ConnId conn, const msg::ClientMessage& message) {
        const auto say = [&](msg::RequestId request, RegistId id, const RegistOrder& order) {
            ports[conn]->reply(
                conn,
                {.request = request,
                 .outcomes = {{.id = std::move(id), .version = order.version, .result = outcome}}});
        };
        if (const auto* add = std::get_if<msg::RegisterPublishers>(&message)) {
            say(add->request, add->publications[0]->id, add->publications[0]->order);
        } else if (const auto* leave = std::get_if<msg::UnregisterPublishers>(&message)) {
            say(leave->request, leave->items[0].id, leave->items[0].order);
        } else if (const auto* wish = std::get_if<msg::Subscribe>(&message)) {
            const Subscription& subscription = wish->items[0].subscription;
            say(wish->request, subscription.id, subscription.order);
        } else if (const auto* end = std::get_if<msg::Unsubscribe>(&message)) {
            say(end->request, end->items[0].id, end->items[0].order);
        } else if (const auto* watch = std::get_if<msg::WatchConfig>(&message)) {
            say(watch->request, watch->watch.id, watch->watch.order);
        } else if (const auto* unwatch = std::get_if<msg::UnwatchConfig>(&message)) {
            say(unwatch->request, unwatch->watch.id, unwatch->watch.order);
        }
    }
};

// Sums what is told by name, and by name and label value.
class FakeMetrics final : public MetricsWriter {
public:
    void counter(std::string_view name, std::string_view /*help*/, std::uint64_t value,
                 MetricLabels labels) override {
        values[key(name, labels)] += static_cast<std::int64_t>(value);
    }
    void gauge(std::string_view name, std::string_view /*help*/, std::int64_t value,
               MetricLabels labels) override {
        values[key(name, labels)] += value;
    }
    void histogram(std::string_view /*name*/, std::string_view /*help*/,
                   const HistogramView& /*histogram*/, MetricLabels /*labels*/) override {}

    std::map<std::string, std::int64_t> values;

private:
    static std::string key(std::string_view name, MetricLabels labels) {
        std::string text(name);
        for (const auto& [label, value] : labels) {
            text.append("/").append(value);
        }
        return text;
    }
};

}  // namespace muster::doors::fakes
