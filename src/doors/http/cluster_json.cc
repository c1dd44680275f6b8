#include "doors/http/cluster_json.h"

#include <map>
#include <string_view>

#include "doors/http/json_writer.h"

namespace muster::http {
namespace {

std::string_view name_of(msg::ClusterReport::Placement placement) {
    switch (placement) {
        case msg::ClusterReport::Placement::automatic: return "automatic";
        case msg::ClusterReport::Placement::stopped: return "stopped";
        case msg::ClusterReport::Placement::forced: return "forced";
    }
    return "unknown";
}

void write_nodes(JsonWriter& json, std::string_view name, const std::vector<NodeId>& nodes) {
    json.key(name).begin_array();
    for (const NodeId& node : nodes) {
        json.value(node.raw());
    }
    json.end_array();
}

std::string_view name_of(msg::BrakeScope scope) {
    switch (scope) {
        case msg::BrakeScope::session: return "session";
        case msg::BrakeScope::service: return "service";
        case msg::BrakeScope::cluster: return "cluster";
    }
    return "unknown";
}

// Services as people write them.
std::string shown_name(const msg::BrakeLine& line) {
    if (line.scope != msg::BrakeScope::service) {
        return line.name;
    }
    const auto service = parse_data_info_id(line.name);
    return service ? service->path() : line.name;
}

// What every view begins with: whose word it is.
void write_head(JsonWriter& json, const ClusterAnswer& answer) {
    const msg::ClusterReport& report = *answer.report;
    json.field("leader", report.leader.raw()).field("term", std::to_string(report.term));
    write_nodes(json, "metas", report.metas);
    json.field("stale", answer.stale.has_value());
    if (answer.stale) {
        json.field("told_by", answer.stale->told_by.raw());
    }
    if (answer.stale && answer.stale->age) {
        json.field("age_ms", to_ms(*answer.stale->age));
    }
}

void write_copy(JsonWriter& json, const msg::ClusterReport::CopyLine& copy) {
    json.begin_object()
        .field("node", copy.node.raw())
        .field("epoch", std::to_string(copy.state.held.epoch.raw()))
        .field("position", std::to_string(copy.state.held.number))
        .field("synced", copy.state.synced)
        .end_object();
}

}  // namespace

std::string members_json(const ClusterAnswer& answer) {
    const msg::ClusterReport& report = *answer.report;
    JsonWriter json;
    json.begin_object();
    write_head(json, answer);
    json.field("epoch", std::to_string(report.members_epoch));
    json.key("members").begin_array();
    for (const auto& line : report.members) {
        const Member& member = line.member;
        json.begin_object()
            .field("node", member.node.raw())
            .field("role", to_string(member.role))
            .field("state", to_string(member.phase))
            .field("address", member.address)
            .field("peer_address", member.peer_address)
            .field("zone", member.zone)
            .field("incarnation", std::to_string(member.incarnation.raw()));
        if (line.silent_ms >= 0) {
            json.field("silent_ms", line.silent_ms);
        }
        json.field("slots_led", line.slots_led).field("slots_followed", line.slots_followed);
        if (line.clients >= 0) {
            json.field("clients", line.clients);
        }
        json.end_object();
    }
    json.end_array().end_object();
    return std::move(json).take();
}

std::string slots_json(const ClusterAnswer& answer) {
    const msg::ClusterReport& report = *answer.report;
    std::map<SlotId, std::vector<const msg::ClusterReport::CopyLine*>> copies;
    for (const auto& copy : report.copies) {
        copies[copy.state.slot].push_back(&copy);
    }
    std::map<SlotId, NodeId> wishes(report.wishes.begin(), report.wishes.end());
    JsonWriter json;
    json.begin_object();
    write_head(json, answer);
    json.field("epoch", std::to_string(report.table.epoch.raw()))
        .field("placement", answer.stale ? "unknown" : name_of(report.placement))
        .field("held_because", report.protected_why)
        .field("moving", report.moving);
    json.key("slots").begin_array();
    for (std::size_t i = 0; i < report.table.slots.size(); ++i) {
        const Slot& slot = report.table.slots[i];
        const SlotId id(static_cast<std::uint16_t>(i));
        json.begin_object()
            .field("slot", i)
            .field("leader", slot.leader.raw())
            .field("epoch", std::to_string(slot.epoch.raw()));
        write_nodes(json, "followers", slot.followers);
        json.key("copies").begin_array();
        for (const auto* copy : copies[id]) {
            write_copy(json, *copy);
        }
        json.end_array();
        if (const auto wish = wishes.find(id); wish != wishes.end()) {
            json.field("moves_to", wish->second.raw());
        }
        json.end_object();
    }
    json.end_array().end_object();
    return std::move(json).take();
}

std::string brake_json(const BrakeOutcome& outcome) {
    JsonWriter json;
    json.begin_object().key("brakes").begin_array();
    for (const msg::BrakeLine& line : outcome.lines) {
        json.begin_object()
            .field("scope", name_of(line.scope))
            .field("name", shown_name(line))
            .field("node", line.node.raw())
            .field("braking", line.braking)
            .field("held", line.held)
            .field("why", line.why)
            .field("since_ms", line.age_ms)
            .field("goes_in_ms", line.left_ms)
            .end_object();
    }
    json.end_array().field("more", outcome.more).key("silent").begin_array();
    for (const std::string& who : outcome.silent) {
        json.value(who);
    }
    json.end_array().end_object();
    return std::move(json).take();
}

}  // namespace muster::http
