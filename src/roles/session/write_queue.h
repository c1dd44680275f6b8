#pragma once

#include <cstddef>
#include <cstdint>
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

namespace muster::session {

// Names a client's request that waits for writes; zero: nobody waits.
using WaiterId = Id<struct WaiterIdTag, std::uint64_t>;

// The session's dirty set (design 2.2): what slot leaders have not acknowledged, resent until they
// have. Nothing is ever dropped from it silently.
//
//   add() -> fresh -> send_due() -> in flight -- acknowledged --> gone
//              ^                        |  late: the same batch again
//              +------ refused, or a new leader epoch ------+
//
// Loop thread only. Bounded by what clients may register; a batch holds at most kBatchOpsMax.
class WriteQueue {
public:
    static constexpr std::size_t kBatchOpsMax = 1000;

    using Op = msg::PublishBatch::Op;

    struct Sender {
        Incarnation session;
        const SlotTable& table;
        msg::Outbox& outbox;
    };

    WriteQueue(Duration resend_interval, Duration refused_wait)
        : resend_interval_(resend_interval), refused_wait_(refused_wait) {}

    // Queues one write. Before a table is known it waits without a slot.
    void add(Op op, WaiterId waiter, const SlotTable& table);

    // Gives the writes that waited for a table their slots.
    void route(const SlotTable& table);

    // Sends what is fresh, and again what was not acknowledged in time.
    void send_due(MonoTime now, const Sender& sender);

    // Takes a leader's answer; returns whose writes it acknowledged (one entry for each write).
    [[nodiscard]] std::vector<WaiterId> on_reply(const msg::PublishBatchReply& reply, MonoTime now);

    // The present state of a registration; nothing when it went.
    using Present = std::function<std::optional<Op>(const RegistId&)>;

    // `slot` has a new leader: what is not acknowledged goes again, in its present state. A queued
    // registration that went meanwhile goes as a removal.
    void restart(SlotId slot, const Present& present);

    [[nodiscard]] bool empty(SlotId slot) const {
        return !slots_.contains(slot);
    }
    [[nodiscard]] std::size_t size() const;

private:
    struct Item {
        Op op;
        WaiterId waiter;
    };
    struct Batch {
        std::vector<Item> items;
        MonoTime sent_at;
    };
    struct PerSlot {
        std::vector<Item> fresh;
        std::map<std::uint64_t, Batch> in_flight;
        MonoTime not_before;
    };

    void send(SlotId slot, std::uint64_t id, const Batch& batch, const Sender& sender);

    Duration resend_interval_;
    Duration refused_wait_;
    std::map<SlotId, PerSlot> slots_;
    std::vector<Item> unrouted_;
    std::uint64_t last_batch_ = 0;
};

}  // namespace muster::session
