#include "sim/world/network.h"

#include <fmt/format.h>

#include "base/check.h"
#include "sim/world/describe.h"

namespace muster::sim {
namespace {

constexpr std::uint64_t kOutOf = 10'000;

}  // namespace

void Network::attach(const msg::RoleAddress& at, Process& process,
                     std::function<msg::Receiver*()> receiver) {
    places_[at] = {&process, std::move(receiver)};
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
    if (const auto lose = lose_next_.find(message.index());
        lose != lose_next_.end() && lose->second > 0) {
        --lose->second;
        trace_.note(scheduler_.now(), "network", "loses " + describe(message));
        return;
    }
    const auto shared = std::make_shared<const msg::ClusterMessage>(std::move(message));
    Process& process = *target->second.process;
    if (source->second.process == &process) {
        process.post(Duration{}, kBusChannel, [=, this] { arrive(from, to, shared); });
        return;
    }
    const auto cut = cut_.find({from.role, to.role});
    if ((cut != cut_.end() && cut->second) ||
        (faults.lost > 0 && prng_.chance(faults.lost, kOutOf))) {
        trace_.note(scheduler_.now(), "network", "loses " + describe(*shared));
        return;
    }
    // Each sender has a channel of its own at the receiver.
    const Channel channel = 10 + static_cast<Channel>(from.role);
    const int copies = faults.doubled > 0 && prng_.chance(faults.doubled, kOutOf) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
        process.deliver(scheduler_.now() + delay(), channel,
                        [=, this] { arrive(from, to, shared); });
    }
}

void Network::arrive(const msg::RoleAddress& from, const msg::RoleAddress& to,
                     const Shared& message) {
    msg::Receiver* receiver = places_.at(to).receiver();
    if (receiver == nullptr) {
        return;
    }
    trace_.note(scheduler_.now(), describe(to), "<- " + describe(*message));
    receiver->on_message(from, *message);
}

void Network::cut(Role from, Role to) {
    cut_[{from, to}] = true;
    trace_.note(scheduler_.now(), "network",
                fmt::format("is cut from {} to {}", to_string(from), to_string(to)));
}

void Network::open_all() {
    cut_.clear();
}

}  // namespace muster::sim
