#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/time.h"
#include "model/cluster.h"
#include "model/ids.h"
#include "msg/cluster.h"
#include "msg/outbox.h"
#include "roles/session/resend_timer.h"
#include "roles/session/slot_routes.h"

namespace muster::session {

// Names a client's request that waits for writes; zero: nobody waits.
using WaiterId = Id<struct WaiterIdTag, std::uint64_t>;

// The session's dirty set (design 2.2): what slot leaders have not acknowledged, resent until they
// have. Nothing is ever dropped from it silently.
//
//   add() -> fresh -> send_due() -> in flight -- acknowledged --> gone
//              ^                        |  late: the same batch again, at growing pauses
//              +--- refused, or served anew ---+
//
// One batch of a slot is in flight; what comes meanwhile makes the next one. So batches grow with
// how busy the data server is, and what it has not taken waits here, where it is bounded.
//
// What a follower took in the leader's stead is answered, but kept: it goes again to whoever serves
// the slot next.
//
// What is refused goes again after a pause that doubles from kRefusedWaitMin to kRefusedWaitMax,
// and at once when another node or epoch serves the slot. Loop thread only. Bounded by what clients
// may register; a batch holds at most kBatchOpsMax, and kBatchBytesMax of content and one
// publication.
class WriteQueue {
public:
    static constexpr std::size_t kBatchOpsMax = 1000;
    static constexpr std::size_t kBatchBytesMax = std::size_t{1} << 20;
    static constexpr Duration kResendMin = std::chrono::milliseconds(100);
    static constexpr Duration kRefusedWaitMin = std::chrono::milliseconds(5);
    static constexpr Duration kRefusedWaitMax = std::chrono::milliseconds(200);

    using Op = msg::PublishBatch::Op;

    struct Sender {
        Incarnation session;
        const SlotRoutes& routes;
        msg::Outbox& outbox;
        std::int64_t wall_us = 0;  // now
    };

    // A write that was acknowledged.
    struct Acknowledged {
        WaiterId waiter;
        ServicePtr service;
        MonoTime since;  // when it was queued; zero: not known
    };

    // `resend_interval`: the longest pause before an unanswered batch goes again.
    explicit WriteQueue(Duration resend_interval) : resend_interval_(resend_interval) {}

    // Queues one write that came at `now` (zero: nobody knows when). Before a table is known
    // (`slot_count` zero) it waits without a slot.
    void add(Op op, WaiterId waiter, std::size_t slot_count, MonoTime now) {
        add({.op = std::move(op), .waiter = waiter, .since = now}, slot_count);
    }

    // Gives the writes that waited for a table their slots. Requires: slot_count > 0.
    void route(std::size_t slot_count);

    // Sends what is fresh, and again what was not acknowledged in time.
    void send_due(MonoTime now, const Sender& sender);

    // Takes an answer of data server `from`; returns the writes it acknowledged.
    [[nodiscard]] std::vector<Acknowledged> on_reply(const NodeId& from,
                                                     const msg::PublishBatchReply& reply,
                                                     MonoTime now);

    // When send_due() has something to send next, if nothing else happens; none: not before that.
    [[nodiscard]] std::optional<MonoTime> next_due(const SlotRoutes& routes) const;

    // The present state of a registration; nothing when it went.
    using Present = std::function<std::optional<Op>(const RegistId&)>;

    // `slot` is served anew: what is not acknowledged goes again, in its present state. A queued
    // registration that went meanwhile goes as a removal.
    void restart(SlotId slot, const Present& present);

    // Whether who serves `slot` has acknowledged all.
    [[nodiscard]] bool empty(SlotId slot) const {
        const auto known = slots_.find(slot);
        return known == slots_.end() || (known->second.fresh.empty() && !known->second.in_flight);
    }
    // Whether a write with owner_seq <= `seq` is not acknowledged in `slot`.
    [[nodiscard]] bool has_up_to(SlotId slot, std::uint64_t seq) const;
    // What is not acknowledged in `slot`, oldest first.
    void for_each(SlotId slot, const std::function<void(const Op&)>& visit) const;
    [[nodiscard]] std::size_t size() const;

private:
    struct Item {
        Op op;
        WaiterId waiter;
        MonoTime since;  // as in Acknowledged
    };
    struct Batch {
        std::uint64_t number = 0;
        std::vector<Item> items;
        MonoTime first_sent;
        MonoTime resend_at;
        Duration wait;
    };
    struct PerSlot {
        std::deque<Item> fresh;
        std::optional<Batch> in_flight;
        MonoTime not_before;
        Duration refused_wait = kRefusedWaitMin;
        std::map<RegistId, Op> taken_acting;  // the newest of each
    };

    void add(Item item, std::size_t slot_count);
    // The next batch: the oldest of what is fresh.
    [[nodiscard]] static std::vector<Item> take_fresh(PerSlot& slot);
    static void send(SlotId slot, Batch& batch, MonoTime now, const Route& route,
                     const Sender& sender);
    [[nodiscard]] ResendTimer& timer_of(const NodeId& node);

    Duration resend_interval_;
    std::map<SlotId, PerSlot> slots_;
    std::map<NodeId, ResendTimer> timers_;  // of data servers that were ever sent something
    std::vector<Item> unrouted_;
    std::uint64_t last_batch_ = 0;
};

}  // namespace muster::session
