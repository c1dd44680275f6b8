#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "doors/http/cluster_face.h"
#include "msg/client.h"
#include "msg/client_port.h"
#include "msg/cluster.h"
#include "wire/http1/message.h"

namespace muster::http {

// One push for many connections: what is sent of it is encoded at most once.
class ListPush {
public:
    explicit ListPush(const msg::PushOrder& order) : order_(order) {}

    [[nodiscard]] const ServiceViewPtr& view() const {
        return order_.view;
    }
    [[nodiscard]] const msg::PushOrder& order() const {
        return order_;
    }
    // As a Server-Sent Event.
    [[nodiscard]] const SharedBytes& event();

private:
    const msg::PushOrder& order_;
    SharedBytes event_;
};

// When a push is acknowledged to the session, which sends the next one only then.
enum class Ack : std::uint8_t {
    now,
    later,  // the Op does it by OpHost::acknowledge()
};

// What an Op may do to its connection and to the session. Nothing of it calls the Op back.
class OpHost {
public:
    virtual ~OpHost() = default;

    // Queued; carried out in order once the current callback is over.
    virtual void tell(msg::ClientMessage message) = 0;
    virtual void query_services(std::uint64_t token, msg::ListServices query) = 0;
    virtual void put_config(std::uint64_t token, const Service& key,
                            std::optional<std::string> value) = 0;
    virtual void ask_cluster(std::uint64_t token, msg::OperatorRequest::What what) = 0;
    virtual void ask_brake(std::uint64_t token, BrakeWish wish) = 0;
    virtual void ask_verify(std::uint64_t token) = 0;
    virtual void ask_propagation(std::uint64_t token, propagation::Question wish) = 0;
    virtual void ask_mark(std::uint64_t token, propagation::DrainWish wish) = 0;
    virtual void ask_history(std::uint64_t token, propagation::HistoryQuestion question) = 0;

    // Unique among all of the door.
    [[nodiscard]] virtual std::uint64_t next_number() = 0;

    // on_deadline() comes after `delay`; replaces an earlier one.
    virtual void set_deadline(Duration delay) = 0;

    // Answers the request: the Op is over and gets no further call but stop().
    virtual void finish(http1::Response response) = 0;
    void fail(const Error& error);

    // Instead of finish(): the head of an answer without end, then its parts.
    virtual void begin_stream(const http1::Response& head) = 0;
    virtual void send(std::string bytes) = 0;
    virtual void send(SharedBytes bytes) = 0;
    [[nodiscard]] virtual bool congested() const = 0;
    // Ends a stream whose reader is too slow.
    virtual void give_up_slow_reader() = 0;
};

// The steps from one request to its answer, when the session must be asked. Owned by the
// connection, which has at most one at a time.
//
//   start -> (on_reply | on_push | on_config | on_services | on_config_put |
//             on_cluster | on_brake | on_verify | on_deadline)*
//         -> finish | fail | the connection is gone -> stop
class Op {
public:
    virtual ~Op() = default;

    virtual void start(OpHost& host) = 0;

    // The answer to a request of this connection, perhaps of an earlier Op.
    virtual void on_reply(OpHost& /*host*/, const msg::RequestReply& /*reply*/) {}
    virtual Ack on_push(OpHost& /*host*/, ListPush& /*push*/,
                        std::span<const std::string_view> /*subscribers*/) {
        return Ack::now;
    }
    virtual void on_config(OpHost& /*host*/, const msg::ConfigPush& /*push*/) {}
    virtual void on_services(OpHost& /*host*/, std::uint64_t /*token*/,
                             const msg::ListServicesReply& /*reply*/) {}
    virtual void on_config_put(OpHost& /*host*/, std::uint64_t /*token*/,
                               const Result<Version>& /*result*/) {}
    virtual void on_cluster(OpHost& /*host*/, std::uint64_t /*token*/,
                            const ClusterAnswer& /*answer*/) {}
    virtual void on_brake(OpHost& /*host*/, std::uint64_t /*token*/,
                          const BrakeOutcome& /*outcome*/) {}
    virtual void on_verify(OpHost& /*host*/, std::uint64_t /*token*/,
                           const Result<verify::Report>& /*report*/) {}
    virtual void on_marked(OpHost& /*host*/, std::uint64_t /*token*/,
                           const Result<propagation::DrainReport>& /*outcome*/) {}
    virtual void on_propagation(OpHost& /*host*/, std::uint64_t /*token*/,
                                const Result<propagation::Report>& /*outcome*/) {}
    virtual void on_history(OpHost& /*host*/, std::uint64_t /*token*/,
                            const Result<propagation::HistoryReport>& /*outcome*/) {}
    virtual void on_deadline(OpHost& host) = 0;
    virtual void on_drained(OpHost& /*host*/) {}

    // Takes back what the session still holds for it; called once, unless the connection closed.
    virtual void stop(OpHost& /*host*/) {}

    // Stays open long: counted against the door's limit of streams.
    [[nodiscard]] virtual bool is_stream() const {
        return false;
    }
};

}  // namespace muster::http
