#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "roles/session/client_face.h"
#include "wire/bolt/frame_conversation.h"

// For tests only.
namespace muster::doors::native_fakes {

// Remembers what was sent and closed.
class FakePort final : public bolt::FramePort {
public:
    void send(env::ConnId conn, std::string frames) override {
        sent[conn] += frames;
    }
    void send(env::ConnId conn, std::string head, SharedBytes body, std::string tail) override {
        sent[conn] += head + *body + tail;
        bodies.push_back(std::move(body));
    }
    bool congested(env::ConnId conn) const override {
        return congested_conns.contains(conn);
    }
    void stop_reading(env::ConnId conn) override {
        stopped.insert(conn);
    }
    void go_on_reading(env::ConnId conn) override {
        stopped.erase(conn);
    }
    void close(env::ConnId conn, const Error& why) override {
        closed.emplace(conn, why);
    }
    std::string take(env::ConnId conn) {
        return std::exchange(sent[conn], {});
    }

    std::map<env::ConnId, std::string> sent;
    std::vector<SharedBytes> bodies;
    std::set<env::ConnId> congested_conns;
    std::set<env::ConnId> stopped;
    std::map<env::ConnId, Error> closed;
};

// Remembers what the door tells it.
class FakeSession final : public session::ClientFace {
public:
    void on_client_open(env::ConnId conn, session::ClientInfo info,
                        msg::ClientPort& port) override {
        opened.emplace(conn, std::move(info));
        last_port = &port;
    }
    void on_client_message(env::ConnId conn, const msg::ClientMessage& message) override {
        messages.push_back(message);
        if (closes) {
            last_port->close(conn, {.code = Errc::refused});
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

    std::map<env::ConnId, session::ClientInfo> opened;
    std::vector<msg::ClientMessage> messages;
    std::vector<env::ConnId> drained;
    std::vector<env::ConnId> closed;
    msg::ClientPort* last_port = nullptr;
    bool closes = false;
    std::string center_name{kDefaultCenter};
};

// Sums counters and gauges by name and label value.
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

}  // namespace muster::doors::native_fakes
