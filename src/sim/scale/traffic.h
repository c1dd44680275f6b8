#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sim/world/network.h"
#include "sim/world/registry.h"

namespace muster::sim {

struct Flow {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;  // of whole frames of links between nodes

    Flow& operator+=(const Flow& other) {
        messages += other.messages;
        bytes += other.bytes;
        return *this;
    }
};

// What the nodes of a cluster said to each other in a while of virtual time: every message, encoded
// as links between real processes encode it. What the links say on their own, a ping where nothing
// was sent for 250 ms, is worked out from the gaps.
struct TrafficReport {
    Duration window{};
    std::map<std::string, Flow> by_kind;  // "SessionHeartbeat", "raft", "ping"
    Flow all;
    struct NodeLine {
        Flow sent;
        Flow received;
    };
    std::map<std::string, NodeLine> by_node;
    std::uint64_t links = 0;  // pairs of nodes that are connected
};

// Counts it. Observes the network from the call of begin() to that of end().
class Traffic final : public NetworkObserver {
public:
    Traffic(Scheduler& scheduler, Network& network, const Registry& registry);

    void begin();
    [[nodiscard]] TrafficReport end();

    void on_sent(const msg::RoleAddress& from, const msg::RoleAddress& to,
                 const msg::ClusterMessage& message) override;
    void on_raft_sent(const NodeId& from, const NodeId& to, std::string_view bytes) override;

private:
    void count(const NodeId& from, const NodeId& to, const std::string& kind, std::uint64_t bytes);
    void count_pings(std::size_t from, std::size_t to, MonoTime until);
    void add(std::size_t from, std::size_t to, const std::string& kind, Flow flow);
    [[nodiscard]] MonoTime& last_sent(std::size_t from, std::size_t to) {
        return last_sent_[from * nodes_.size() + to];
    }

    Scheduler& scheduler_;
    Network& network_;
    struct NodeAt {
        NodeId id;
        bool session_only = false;
        TrafficReport::NodeLine line;
    };
    std::vector<NodeAt> nodes_;
    std::unordered_map<NodeId, std::size_t> place_;
    std::vector<std::string> kinds_;   // by the message's place in the variant
    std::vector<MonoTime> last_sent_;  // by sender, receiver
    MonoTime begun_;
    TrafficReport report_;
    std::string buffer_;
};

}  // namespace muster::sim
