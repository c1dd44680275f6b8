#include "sim/scale/traffic.h"

#include <utility>

#include "msg/codec/cluster_codec.h"
#include "sim/world/describe.h"

namespace muster::sim {
namespace {

// docs/protocol/cluster.md: nothing sent for so long is answered by a ping of two bytes. Links look
// every 50 ms, so who speaks each 250 ms pings only when it is late.
constexpr Duration kPingAfter = std::chrono::milliseconds(250);
constexpr Duration kLook = std::chrono::milliseconds(50);
constexpr std::uint64_t kPingBytes = 2;
constexpr std::uint64_t kKindByte = 1;
constexpr std::uint64_t kRoleBytes = 2;
constexpr std::uint64_t kChannelByte = 1;

std::uint64_t frame_bytes(std::uint64_t content) {
    std::uint64_t length_bytes = 1;
    for (std::uint64_t rest = (content + kKindByte) >> 7U; rest > 0; rest >>= 7U) {
        ++length_bytes;
    }
    return length_bytes + kKindByte + content;
}

template <std::size_t... places>
std::vector<std::string> kind_names(std::index_sequence<places...>) {
    std::vector<std::string> names;
    const auto add = [&](const msg::ClusterMessage& message) {
        const std::string text = describe(message);
        names.push_back(text.substr(0, text.find(' ')));
    };
    (add(msg::ClusterMessage(std::in_place_index<places>)), ...);
    return names;
}

}  // namespace

Traffic::Traffic(Scheduler& scheduler, Network& network, const Registry& registry)
    : scheduler_(scheduler),
      network_(network),
      kinds_(kind_names(std::make_index_sequence<std::variant_size_v<msg::ClusterMessage>>())) {
    for (const Node* node : registry.nodes()) {
        place_[node->plan().id] = nodes_.size();
        nodes_.push_back({.id = node->plan().id,
                          .session_only = node->plan().roles == std::vector{Role::session},
                          .line = {}});
    }
}

void Traffic::begin() {
    begun_ = scheduler_.now();
    last_sent_.assign(nodes_.size() * nodes_.size(), begun_);
    for (NodeAt& node : nodes_) {
        node.line = {};
    }
    report_ = {};
    network_.observer = this;
}

TrafficReport Traffic::end() {
    network_.observer = nullptr;
    for (std::size_t from = 0; from < nodes_.size(); ++from) {
        for (std::size_t to = 0; to < nodes_.size(); ++to) {
            if (from != to && !(nodes_[from].session_only && nodes_[to].session_only)) {
                count_pings(from, to, scheduler_.now());
                report_.links += from < to ? 1 : 0;
            }
        }
    }
    for (const NodeAt& node : nodes_) {
        report_.by_node[node.id.raw()] = node.line;
        report_.all += node.line.sent;
    }
    report_.window = scheduler_.now() - begun_;
    return std::exchange(report_, {});
}

void Traffic::on_sent(const msg::RoleAddress& from, const msg::RoleAddress& to,
                      const msg::ClusterMessage& message) {
    buffer_.clear();
    msg::encode_to(buffer_, message);
    count(from.node, to.node, kinds_[message.index()], frame_bytes(kRoleBytes + buffer_.size()));
}

void Traffic::on_raft_sent(const NodeId& from, const NodeId& to, std::string_view bytes) {
    count(from, to, "raft", frame_bytes(kChannelByte + bytes.size()));
}

void Traffic::count(const NodeId& from, const NodeId& to, const std::string& kind,
                    std::uint64_t bytes) {
    const std::size_t sender = place_.at(from);
    const std::size_t receiver = place_.at(to);
    count_pings(sender, receiver, scheduler_.now());
    last_sent(sender, receiver) = scheduler_.now();
    add(sender, receiver, kind, {.messages = 1, .bytes = bytes});
}

void Traffic::count_pings(std::size_t from, std::size_t to, MonoTime until) {
    const Duration gap = until - last_sent(from, to);
    if (gap < kPingAfter + kLook) {
        return;
    }
    const auto pings = static_cast<std::uint64_t>(gap / kPingAfter);
    add(from, to, "ping", {.messages = pings, .bytes = pings * kPingBytes});
}

void Traffic::add(std::size_t from, std::size_t to, const std::string& kind, Flow flow) {
    report_.by_kind[kind] += flow;
    nodes_[from].line.sent += flow;
    nodes_[to].line.received += flow;
}

}  // namespace muster::sim
