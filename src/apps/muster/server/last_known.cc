#include "apps/muster/server/last_known.h"

#include <algorithm>
#include <map>
#include <utility>

namespace muster::cli {

LastKnown last_known(const node::NodeView& view, const std::vector<NodeId>& metas, MonoTime now) {
    LastKnown known;
    known.report.metas = metas;
    known.report.table = view.table();
    known.report.members_epoch = view.members_epoch();
    if (view.greeted()) {
        known.age = view.silence(now);
    }
    std::map<NodeId, std::uint32_t> led;
    std::map<NodeId, std::uint32_t> followed;
    for (const Slot& slot : view.table().slots) {
        ++led[slot.leader];
        for (const NodeId& node : slot.followers) {
            ++followed[node];
        }
    }
    std::map<NodeId, std::int64_t> clients;
    for (const msg::ClientLoad& load : view.loads().sessions) {
        clients[load.session] = static_cast<std::int64_t>(load.clients);
    }
    for (const Member& member : view.members()) {
        const bool data = member.role == Role::data;
        const auto load = data ? clients.end() : clients.find(member.node);
        known.report.members.push_back({.member = member,
                                        .slots_led = data ? led[member.node] : 0,
                                        .slots_followed = data ? followed[member.node] : 0,
                                        .clients = load == clients.end() ? -1 : load->second});
    }
    return known;
}

LastKnown newer_of(LastKnown one, LastKnown other) {
    const auto newness = [](const LastKnown& known) {
        return std::pair(known.report.table.epoch, known.report.members_epoch);
    };
    return newness(other) > newness(one) ? std::move(other) : std::move(one);
}

}  // namespace muster::cli
