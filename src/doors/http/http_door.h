#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "base/metrics.h"
#include "doors/http/cluster_face.h"
#include "doors/http/connection.h"
#include "doors/http/door_state.h"
#include "doors/http/lease_table.h"
#include "env/clock.h"
#include "env/net.h"
#include "env/timers.h"
#include "msg/client_port.h"
#include "roles/session/client_face.h"
#include "roles/session/query_face.h"

namespace muster::http {

// What the door is given to live on. All outlive it; `timers` is its own set.
struct HttpDoorEnv {
    env::Net& net;
    env::Clock& clock;
    env::Timers& timers;
    session::ClientFace& clients;
    session::QueryFace& queries;
    ClusterFace* cluster = nullptr;  // null: nothing is shown of the cluster
};

// The HTTP door of a session (port 9603): server lists for Java clients, health, metrics and the
// JSON API of api/http/openapi.yaml. Requests that need the session become its messages: a list is
// a subscription of the HTTP connection for as long as the request lasts.
//
//   bytes -> Connection (parser, one request at a time) -> Router -> handler -> answer
//                                                             `-> Op <-> SessionQueue <-> session
//
// Owned by the process, which passes its timers' ticks to on_timer(). Loop thread only. Bounds:
// HttpDoorOptions; each has its answer and a counter.
//
// 1. The session is never called from within its calls to the door.
// 2. Every push is acknowledged, or its connection reported closed.
class HttpDoor final : public env::ConnectionHandler,
                       public env::TimerTarget,
                       public msg::ClientPort,
                       public session::QueryPort,
                       public ClusterPort {
public:
    HttpDoor(HttpDoorOptions options, HttpDoorEnv env);
    ~HttpDoor() override = default;
    HttpDoor(const HttpDoor&) = delete;
    HttpDoor& operator=(const HttpDoor&) = delete;

    // Where it listens now (port 0 takes a free one). Errors: those of env::Net::listen.
    Result<env::SocketAddress> listen(const env::SocketAddress& at);

    void write_metrics(MetricsWriter& writer) const;

    [[nodiscard]] const Router& router() const {
        return state_.router;
    }

    // ---- env::ConnectionHandler
    void on_accepted(env::ConnId conn, const env::SocketAddress& peer) override;
    void on_connected(env::ConnId conn) override;
    void on_bytes(env::ConnId conn, std::string_view bytes) override;
    void on_drained(env::ConnId conn) override;
    void on_closed(env::ConnId conn, const Error& why) override;

    // ---- env::TimerTarget
    void on_timer(env::TimerKey key) override;

    // ---- msg::ClientPort
    void reply(env::ConnId conn, const msg::RequestReply& reply) override;
    void push(const msg::PushOrder& order) override;
    void push_config(env::ConnId conn, const msg::ConfigPush& push) override;
    void hint(env::ConnId conn, const msg::ServerHint& hint) override;
    [[nodiscard]] bool shows_incomplete() const override {
        return true;
    }
    [[nodiscard]] bool takes_deltas() const override {
        return false;
    }
    [[nodiscard]] bool keeps_connections() const override {
        return false;
    }
    [[nodiscard]] bool congested(env::ConnId conn) const override;
    void close(env::ConnId conn, const Error& why) override;

    // ---- session::QueryPort
    void on_services(std::uint64_t token, const msg::ListServicesReply& reply) override;
    void on_config_put(std::uint64_t token, const Result<Version>& result) override;

    // ---- ClusterPort
    void on_cluster(std::uint64_t token, const ClusterAnswer& answer) override;
    void on_brake(std::uint64_t token, const BrakeOutcome& outcome) override;
    void on_verify(std::uint64_t token, const Result<verify::Report>& report) override;
    void on_propagation(std::uint64_t token, const Result<propagation::Report>& outcome) override;
    void on_marked(std::uint64_t token, const Result<propagation::DrainReport>& outcome) override;
    void on_history(std::uint64_t token,
                    const Result<propagation::HistoryReport>& outcome) override;

private:
    [[nodiscard]] Connection* find(env::ConnId conn);
    [[nodiscard]] Connection* take_token(std::uint64_t token);
    // Delivers what is queued for the session and runs what can run, until nothing is left.
    void settle();
    // The same at the next turn of the loop, when the session is on the stack.
    void settle_soon();

    HttpDoorOptions options_;
    LeaseTable leases_;
    session::ClientFace& clients_;
    session::QueryFace& queries_;
    ClusterFace* cluster_;
    DoorState state_;
    std::unordered_map<env::ConnId, std::unique_ptr<Connection>> connections_;
    bool settling_ = false;
};

}  // namespace muster::http
