#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <variant>

#include "base/metrics.h"
#include "env/timers.h"
#include "msg/outbox.h"
#include "runtime/loop/loop.h"

namespace muster::runtime {

struct LocalBusOptions {
    // Messages that wait; more are dropped, as any message may be lost.
    std::size_t messages_max = 1'000'000;
    // Delivered in one turn of the loop, so that sockets and timers get theirs.
    std::size_t batch_max = 1024;
};

// The way to the roles of other nodes.
class BusRemote {
public:
    virtual ~BusRemote() = default;

    // Takes it or drops it; delivers nothing from within.
    virtual void send(const msg::RoleAddress& from, const msg::RoleAddress& to,
                      const msg::ClusterMessage& message) = 0;
};

// Carries messages between the roles of one process: queued by send(), delivered in their order on
// the loop, never from within send(). What is for roles of other nodes goes to a BusRemote, what
// comes from them joins the queue. Must outlive its outboxes; receivers detach before they go.
// Loop thread only. Bounds: LocalBusOptions; addresses are kept for good, as many as roles exist in
// the cluster.
class LocalBus final : private env::TimerTarget {
public:
    LocalBus(Loop& loop, LocalBusOptions options);
    ~LocalBus() override;
    LocalBus(const LocalBus&) = delete;
    LocalBus& operator=(const LocalBus&) = delete;

    // The way out for the role at `from`.
    [[nodiscard]] std::unique_ptr<msg::Outbox> outbox(const msg::RoleAddress& from);

    // From now on `receiver` gets what is sent to `address`. Requires: nobody is attached there.
    void attach(const msg::RoleAddress& address, msg::Receiver& receiver);

    // What waits for `address` is dropped (and counted) when its turn comes.
    void detach(const msg::RoleAddress& address);

    // From now on what is sent to roles of nodes other than `self` goes to `remote`, which is there
    // as long as anything is sent. Without it there is nobody at such addresses.
    void connect(const NodeId& self, BusRemote& remote);

    // What came from another node: queued like a message of a role here.
    void deliver(const msg::RoleAddress& from, const msg::RoleAddress& to,
                 msg::ClusterMessage message);

    // Told to every receiver here when its turn comes; never dropped.
    void deliver_link(const NodeId& node, msg::LinkEvent event);

    [[nodiscard]] std::uint64_t delivered() const {
        return delivered_.value();
    }
    [[nodiscard]] std::uint64_t dropped_unknown() const {
        return dropped_unknown_.value();
    }
    [[nodiscard]] std::uint64_t dropped_full() const {
        return dropped_full_.value();
    }
    void write_metrics(MetricsWriter& writer) const;

private:
    class RoleOutbox;
    struct Endpoint {
        msg::RoleAddress address;
        msg::Receiver* receiver = nullptr;
    };
    struct Waiting {
        const Endpoint* from = nullptr;
        const Endpoint* to = nullptr;
        msg::ClusterMessage message;
    };
    struct LinkNews {
        NodeId node;
        msg::LinkEvent event = msg::LinkEvent::up;
    };

    void on_timer(env::TimerKey key) override;
    [[nodiscard]] Endpoint& endpoint(const msg::RoleAddress& address);
    void send(const Endpoint& from, const msg::RoleAddress& to, msg::ClusterMessage message);
    void queue(const Endpoint& from, const msg::RoleAddress& to, msg::ClusterMessage message);
    void deliver_now(const Waiting& next);
    void deliver_now(const LinkNews& news);

    LocalBusOptions options_;
    LoopTimers timers_;
    std::map<msg::RoleAddress, Endpoint> endpoints_;  // nodes of a map stay where they are
    std::deque<std::variant<Waiting, LinkNews>> waiting_;
    NodeId self_;
    BusRemote* remote_ = nullptr;
    Counter delivered_;
    Counter dropped_unknown_;
    Counter dropped_full_;
};

}  // namespace muster::runtime
