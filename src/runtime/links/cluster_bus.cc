#include "runtime/links/cluster_bus.h"

#include <utility>

namespace muster::runtime {

ClusterBus::ClusterBus(LocalBus& bus, NodeId self) : bus_(bus), self_(std::move(self)) {}

void ClusterBus::connect(ClusterLinks& links) {
    links_ = &links;
    bus_.connect(self_, *this);
}

void ClusterBus::on_raw(std::uint8_t channel, RawHandler handler) {
    raw_[channel] = std::move(handler);
}

void ClusterBus::on_link_message(const msg::RoleAddress& from, Role to,
                                 msg::ClusterMessage message) {
    bus_.deliver(from, {.node = self_, .role = to}, std::move(message));
}

Result<void> ClusterBus::on_link_raw(const NodeId& from, std::uint8_t channel,
                                     std::string_view bytes) {
    const auto at = raw_.find(channel);
    return at != raw_.end() ? at->second(from, bytes)
                            : fail(Errc::unknown_type, "nobody here reads that channel");
}

void ClusterBus::on_link_event(const NodeId& node, msg::LinkEvent event) {
    bus_.deliver_link(node, event);
}

void ClusterBus::send(const msg::RoleAddress& from, const msg::RoleAddress& to,
                      const msg::ClusterMessage& message) {
    links_->send(from.role, to, message);
}

}  // namespace muster::runtime
