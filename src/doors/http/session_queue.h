#pragma once

#include <deque>
#include <optional>
#include <string>
#include <variant>

#include "doors/http/cluster_face.h"
#include "env/net.h"
#include "msg/client.h"
#include "msg/client_port.h"
#include "roles/session/client_face.h"
#include "roles/session/query_face.h"

namespace muster::http {

// What connections want the session (or the cluster) to be told, in order. The session may answer
// from within a call and must not be called from within its own calls to the door; so everything
// goes through here, and the door delivers it when nobody else is on the stack. Bounds: a few
// entries for each connection and callback; delivered at the end of each turn.
class SessionQueue {
public:
    void open(env::ConnId conn, session::ClientInfo info);
    void tell(env::ConnId conn, msg::ClientMessage message);
    void drained(env::ConnId conn);
    void closed(env::ConnId conn);
    void query_services(std::uint64_t token, msg::ListServices query);
    void put_config(std::uint64_t token, Service key, std::optional<std::string> value);
    void ask_cluster(std::uint64_t token, msg::OperatorRequest::What what);
    void ask_brake(std::uint64_t token, BrakeWish wish);
    void ask_verify(std::uint64_t token);
    void ask_propagation(std::uint64_t token, propagation::Question wish);
    void ask_mark(std::uint64_t token, propagation::DrainWish wish);
    void ask_history(std::uint64_t token, propagation::HistoryQuestion question);

    struct Ends {
        session::ClientFace& clients;
        session::QueryFace& queries;
        msg::ClientPort& client_port;
        session::QueryPort& query_port;
        ClusterFace* cluster;  // null: nobody asks it
        ClusterPort& cluster_port;
    };
    // The oldest entry. False: there is none.
    bool deliver_next(const Ends& ends);

    [[nodiscard]] bool empty() const {
        return entries_.empty();
    }

private:
    struct Open {
        env::ConnId conn;
        session::ClientInfo info;
    };
    struct Tell {
        env::ConnId conn;
        msg::ClientMessage message;
    };
    struct Drained {
        env::ConnId conn;
    };
    struct Closed {
        env::ConnId conn;
    };
    struct QueryServices {
        std::uint64_t token;
        msg::ListServices query;
    };
    struct PutConfig {
        std::uint64_t token;
        Service key;
        std::optional<std::string> value;
    };
    struct AskCluster {
        std::uint64_t token;
        msg::OperatorRequest::What what;
    };
    struct AskBrake {
        std::uint64_t token;
        BrakeWish wish;
    };
    struct AskVerify {
        std::uint64_t token;
    };
    struct AskPropagation {
        std::uint64_t token;
        propagation::Question wish;
    };
    struct AskMark {
        std::uint64_t token;
        propagation::DrainWish wish;
    };
    struct AskHistory {
        std::uint64_t token;
        propagation::HistoryQuestion question;
    };
    using Entry = std::variant<Open, Tell, Drained, Closed, QueryServices, PutConfig, AskCluster,
                               AskBrake, AskVerify, AskPropagation, AskMark, AskHistory>;

    static void deliver(Entry entry, const Ends& ends);

    std::deque<Entry> entries_;
};

}  // namespace muster::http
