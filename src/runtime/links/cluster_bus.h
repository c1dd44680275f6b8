#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string_view>

#include "msg/outbox.h"
#include "runtime/bus/local_bus.h"
#include "runtime/links/cluster_links.h"

namespace muster::runtime {

// Joins the bus of this process and its links: what roles send to other nodes goes to the links,
// what comes from there is queued in the bus, and link events go to every role attached.
//
//   ClusterBus cluster(bus, node);
//   ClusterLinks links(options, {.handler = cluster, ...});
//   cluster.connect(links);
//
// Loop thread only. The bus and the links outlive each call; neither is owned.
class ClusterBus final : public LinkHandler, private BusRemote {
public:
    using RawHandler = std::function<Result<void>(const NodeId& from, std::string_view bytes)>;

    ClusterBus(LocalBus& bus, NodeId self);

    void connect(ClusterLinks& links);

    // Who takes raw bytes of `channel`: called at once, from the loop. Others are dropped.
    void on_raw(std::uint8_t channel, RawHandler handler);

    void on_link_message(const msg::RoleAddress& from, Role to,
                         msg::ClusterMessage message) override;
    [[nodiscard]] Result<void> on_link_raw(const NodeId& from, std::uint8_t channel,
                                           std::string_view bytes) override;
    void on_link_event(const NodeId& node, msg::LinkEvent event) override;

private:
    void send(const msg::RoleAddress& from, const msg::RoleAddress& to,
              const msg::ClusterMessage& message) override;

    LocalBus& bus_;
    NodeId self_;
    ClusterLinks* links_ = nullptr;
    std::map<std::uint8_t, RawHandler> raw_;
};

}  // namespace muster::runtime
