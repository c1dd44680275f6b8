#include "runtime/bus/local_bus.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace muster::runtime {
namespace {

constexpr env::TimerKey kDeliver(0);

}  // namespace

class LocalBus::RoleOutbox final : public msg::Outbox {
public:
    RoleOutbox(LocalBus& bus, const Endpoint& from) : bus_(bus), from_(from) {}

    void send(const msg::RoleAddress& to, msg::ClusterMessage message) override {
        bus_.send(from_, to, std::move(message));
    }

private:
    LocalBus& bus_;
    const Endpoint& from_;
};

LocalBus::LocalBus(Loop& loop, LocalBusOptions options) : options_(options), timers_(loop) {
    timers_.bind(*this);
}

LocalBus::~LocalBus() = default;

LocalBus::Endpoint& LocalBus::endpoint(const msg::RoleAddress& address) {
    const auto [at, is_new] = endpoints_.try_emplace(address);
    if (is_new) {
        at->second.address = address;
    }
    return at->second;
}

std::unique_ptr<msg::Outbox> LocalBus::outbox(const msg::RoleAddress& from) {
    return std::make_unique<RoleOutbox>(*this, endpoint(from));
}

void LocalBus::attach(const msg::RoleAddress& address, msg::Receiver& receiver) {
    Endpoint& at = endpoint(address);
    CHECK_BECAUSE(at.receiver == nullptr, "one receiver an address");
    at.receiver = &receiver;
}

void LocalBus::detach(const msg::RoleAddress& address) {
    endpoint(address).receiver = nullptr;
}

void LocalBus::connect(const NodeId& self, BusRemote& remote) {
    self_ = self;
    remote_ = &remote;
}

void LocalBus::send(const Endpoint& from, const msg::RoleAddress& to, msg::ClusterMessage message) {
    if (remote_ != nullptr && to.node != self_) {
        remote_->send(from.address, to, message);
        return;
    }
    queue(from, to, std::move(message));
}

void LocalBus::deliver(const msg::RoleAddress& from, const msg::RoleAddress& to,
                       msg::ClusterMessage message) {
    queue(endpoint(from), to, std::move(message));
}

void LocalBus::deliver_link(const NodeId& node, msg::LinkEvent event) {
    if (waiting_.empty()) {
        timers_.arm(kDeliver, Duration::zero());
    }
    waiting_.push_back(LinkNews{.node = node, .event = event});
}

void LocalBus::queue(const Endpoint& from, const msg::RoleAddress& to,
                     msg::ClusterMessage message) {
    const auto at = endpoints_.find(to);
    if (at == endpoints_.end() || at->second.receiver == nullptr) {
        dropped_unknown_.add();
        return;
    }
    if (waiting_.size() >= options_.messages_max) {
        dropped_full_.add();
        return;
    }
    if (waiting_.empty()) {
        timers_.arm(kDeliver, Duration::zero());
    }
    waiting_.push_back(Waiting{.from = &from, .to = &at->second, .message = std::move(message)});
}

void LocalBus::on_timer(env::TimerKey /*key*/) {
    // Only what waits now: answers to it go in a later turn.
    for (std::size_t left = std::min(waiting_.size(), options_.batch_max); left > 0; --left) {
        const auto next = std::move(waiting_.front());
        waiting_.pop_front();
        std::visit([this](const auto& what) { deliver_now(what); }, next);
    }
    if (!waiting_.empty()) {
        timers_.arm(kDeliver, Duration::zero());
    }
}

void LocalBus::deliver_now(const Waiting& next) {
    if (next.to->receiver == nullptr) {
        dropped_unknown_.add();  // it went while the message waited
        return;
    }
    delivered_.add();
    next.to->receiver->on_message(next.from->address, next.message);
}

void LocalBus::deliver_now(const LinkNews& news) {
    for (const auto& [address, endpoint] : endpoints_) {
        if (endpoint.receiver != nullptr) {
            endpoint.receiver->on_link(news.node, news.event);
        }
    }
}

void LocalBus::write_metrics(MetricsWriter& writer) const {
    constexpr std::string_view kDropped = "muster_bus_dropped_total";
    constexpr std::string_view kDroppedHelp = "Messages between roles that were dropped.";
    writer.counter("muster_bus_delivered_total", "Messages delivered between roles.",
                   delivered_.value());
    writer.counter(kDropped, kDroppedHelp, dropped_unknown_.value(),
                   {{"reason", "unknown_addressee"}});
    writer.counter(kDropped, kDroppedHelp, dropped_full_.value(), {{"reason", "queue_full"}});
    writer.gauge("muster_bus_waiting", "Messages between roles that wait.",
                 static_cast<std::int64_t>(waiting_.size()));
}

}  // namespace muster::runtime
