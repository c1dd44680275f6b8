#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/time.h"
#include "model/cluster.h"
#include "msg/cluster.h"
#include "msg/outbox.h"

namespace muster::session {

// The session's streams of changes, one from each data server: what it declared interest in, and
// whether all that was told has arrived, in order. A gap that does not close ends the stream; the
// caller then declares everything again on the next one.
//
// Loop thread only. Bounds: at most kEarlyMax batches wait for one before them.
class InterestLinks {
public:
    static constexpr std::size_t kEarlyMax = 256;
    static constexpr std::size_t kItemsPerPart = 5000;
    static constexpr Duration kResendMin = std::chrono::milliseconds(50);

    using Take = std::function<void(const msg::ChangeBatch&)>;

    InterestLinks(Incarnation session, Duration gap_wait, Duration resend_interval)
        : session_(session), gap_wait_(gap_wait), resend_interval_(resend_interval) {}

    using Item = msg::InterestDeclare::Item;
    using Told = std::variant<DatumChange, DatumSnapshot>;

    // `acting`: the receiver stands in for the slot's leader.
    void declare(const NodeId& leader, Item item, bool acting = false);
    // What was said of these services and has not arrived is said no more. Returns what was told of
    // them and waited for what is before it, or the rest of it, in its order: it is taken no more.
    std::vector<Told> forget_if(const std::function<bool(const Service&)>& moved);
    // Tells `leader` that the service is no longer wanted. When that is lost, its next change of
    // the service shows it: the caller drops it again.
    void drop(const NodeId& leader, const ServicePtr& service);

    // Begins a new stream from `leader`: everything declared before is forgotten. Returns what
    // waited for more of the stream that ends, in its order: it is taken no more.
    std::vector<Told> restart(const NodeId& leader);

    // Gives `take` every batch that is in order now, and a list that came in pieces as one.
    void on_changes(const NodeId& leader, const msg::ChangeBatch& batch, MonoTime now,
                    const Take& take);
    void on_ack(const NodeId& leader, const msg::InterestAck& ack);
    // True: it began anew or forgot the stream. restart() it before anything else is declared: its
    // next life would number from 1 again what is taken for old here.
    [[nodiscard]] bool on_heartbeat(const NodeId& leader, const msg::DataHeartbeat& heartbeat,
                                    MonoTime now);

    // Leaders whose stream has lost something for good: restart() them.
    [[nodiscard]] std::vector<NodeId> broken(MonoTime now) const;

    // Sends what was declared or dropped in this turn, and again what was not acknowledged.
    void send_due(MonoTime now, msg::Outbox& outbox);
    // When send_due() has something to send next, if nothing else happens.
    [[nodiscard]] std::optional<MonoTime> next_due() const;

private:
    struct Part {
        std::vector<msg::InterestDeclare::Item> items;
        bool acting = false;
        MonoTime resend_at;
        Duration wait = kResendMin;
    };
    // A list of which not all was told yet.
    struct Pieces {
        DatumSnapshot list;
        bool forgotten = false;  // it is not taken
    };
    struct Link {
        Incarnation data;
        std::uint64_t stream = 0;
        std::uint64_t last_part = 0;
        std::map<std::uint64_t, Part> unacknowledged;
        std::set<std::pair<MonoTime, std::uint64_t>> resends;  // when, of what is unacknowledged
        std::vector<msg::InterestDeclare::Item> fresh;
        std::vector<msg::InterestDeclare::Item> fresh_acting;
        std::vector<ServicePtr> dropped;
        std::uint64_t received = 0;
        std::optional<Pieces> pieces;
        bool taken_owed = false;  // the leader waits to hear what was taken
        std::map<std::uint64_t, msg::ChangeBatch> early;
        bool gap = false;
        MonoTime gap_since;
        bool acknowledged = false;  // the leader has some of this stream's interests
    };

    Link& link(const NodeId& leader);
    void send_due_of(const NodeId& leader, Link& known, MonoTime now, msg::Outbox& outbox) const;
    void send(const NodeId& leader, Link& known, std::uint64_t number, MonoTime now,
              msg::Outbox& outbox) const;
    static void settle(Link& known, std::uint64_t number);
    static void add_piece(Pieces& pieces, const msg::ChangeBatch& batch);
    static void take_next(Link& known, const msg::ChangeBatch& batch, const Take& take);

    Incarnation session_;
    Duration gap_wait_;
    Duration resend_interval_;
    std::map<NodeId, Link> links_;
    // Those with something to send or to be acknowledged, perhaps. send_due() is called after every
    // message of every leader and client: the others need no look.
    std::set<NodeId> owing_;
};

}  // namespace muster::session
