#include "sim/world/network.h"

#include <fmt/format.h>

#include "base/check.h"
#include "sim/world/describe.h"

namespace muster::sim {
namespace {

constexpr std::uint64_t kOutOf = 10'000;
// Each sender has a channel of its own at each receiver.
constexpr Channel kFirstSender = 10;

}  // namespace

void Network::attach(const msg::RoleAddress& at, Process& process,
                     std::function<msg::Receiver*()> receiver) {
    places_[at] = {&process, kFirstSender + places_.size() + raft_places_.size(),
                   std::move(receiver)};
}

void Network::attach_raft(const NodeId& node, Process& process,
                          std::function<raft::RaftNode*()> receiver) {
    raft_places_[node] = {&process, kFirstSender + places_.size() + raft_places_.size(),
                          std::move(receiver)};
}

Duration Network::delay() {
    Duration drawn(prng_.between(faults.delay_min.count(), faults.delay_max.count()));
    if (faults.late > 0 && prng_.chance(faults.late, kOutOf)) {
        drawn += Duration(prng_.between(0, faults.late_max.count()));
    }
    return drawn;
}

void Network::send(const msg::RoleAddress& from, const msg::RoleAddress& to,
                   msg::ClusterMessage message) {
    const auto source = places_.find(from);
    const auto target = places_.find(to);
    CHECK(source != places_.end());
    if (target == places_.end()) {
        return;
    }
    if (auto& alters = alters_[message.index()]; !alters.empty()) {
        alters.front()(message);
        alters.pop_front();
        trace_.note(scheduler_.now(), "network", "alters " + describe(message));
    }
    const auto shared = std::make_shared<const msg::ClusterMessage>(std::move(message));
    Process& process = *target->second.process;
    if (!meet_fate(from, to, shared, process)) {
        return;
    }
    if (source->second.process == &process) {
        process.post(Duration{}, kBusChannel, [=, this] { arrive(from, to, shared); });
        return;
    }
    if (observer != nullptr) {
        observer->on_sent(from, to, *shared);
    }
    if (!carry(*source->second.process, process, source->second.channel,
               [=, this] { arrive(from, to, shared); })) {
        trace_.note(scheduler_.now(), "network", "loses " + describe(*shared));
    }
}

bool Network::carry(const Process& from, Process& to, Channel channel,
                    const std::function<void()>& event) {
    if (cuts_.blocked(from.name(), to.name()) ||
        (faults.lost > 0 && prng_.chance(faults.lost, kOutOf))) {
        return false;
    }
    const int copies = faults.doubled > 0 && prng_.chance(faults.doubled, kOutOf) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
        to.deliver(scheduler_.now() + delay(), channel, event);
    }
    return true;
}

void Network::send_raft(const NodeId& from, const NodeId& to, std::string bytes) {
    const auto source = raft_places_.find(from);
    const auto target = raft_places_.find(to);
    CHECK(source != raft_places_.end());
    if (target == raft_places_.end()) {
        return;
    }
    const RaftPlace& place = target->second;
    if (observer != nullptr) {
        observer->on_raft_sent(from, to, bytes);
    }
    carry(*source->second.process, *place.process, source->second.channel,
          [&place, bytes = std::move(bytes)] {
              if (raft::RaftNode* node = place.receiver(); node != nullptr) {
                  CHECK(node->on_message(bytes).has_value());  // nothing garbles it
              }
          });
}

bool Network::meet_fate(const msg::RoleAddress& from, const msg::RoleAddress& to,
                        const Shared& message, Process& process) {
    auto& fates = fates_[message->index()];
    if (fates.empty()) {
        return true;
    }
    const Fate fate = fates.front();
    fates.pop_front();
    if (fate != Fate::lost) {
        held_.emplace_back(&process, [=, this] { arrive(from, to, message); });
    }
    trace_.note(scheduler_.now(), "network",
                (fate == Fate::lost ? "loses " : "holds ") + describe(*message));
    return fate == Fate::doubled;
}

void Network::release() {
    for (auto& [process, event] : std::exchange(held_, {})) {
        process->deliver(scheduler_.now(), kBusChannel, std::move(event));
    }
}

void Network::arrive(const msg::RoleAddress& from, const msg::RoleAddress& to,
                     const Shared& message) {
    msg::Receiver* receiver = places_.at(to).receiver();
    if (receiver == nullptr) {
        return;
    }
    if (!trace_.silent()) {
        trace_.note(scheduler_.now(), describe(to), "<- " + describe(*message));
    }
    receiver->on_message(from, *message);
}

}  // namespace muster::sim
