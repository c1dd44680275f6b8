#include "doors/http/json_view.h"

#include "doors/http/instance_ids.h"
#include "doors/http/json_writer.h"
#include "model/mark.h"

namespace muster::http {
namespace {

constexpr std::size_t kInstanceBytesGuess = 320;

void write_service(JsonWriter& json, const Service& service) {
    json.field("service", service.path())
        .field("tenant", service.tenant)
        .field("group", service.group)
        .field("dataId", service.data_id);
}

void write_version(JsonWriter& json, Version version) {
    json.field("version", std::to_string(version.raw()));
}

template <class Strings>
void write_strings(JsonWriter& json, std::string_view name, const Strings& items) {
    json.key(name).begin_array();
    for (const auto& item : items) {
        json.value(item);
    }
    json.end_array();
}

void write_map(JsonWriter& json, std::string_view name,
               const std::map<std::string, std::string>& map) {
    json.key(name).begin_object();
    for (const auto& [key, value] : map) {
        json.field(key, value);
    }
    json.end_object();
}

// The structured fields are those of the first box that can be read as an endpoint.
void write_instance(JsonWriter& json, const Publication& publication) {
    json.begin_object().field("id", instance_id_of(publication.id));
    for (const auto& box : publication.boxes) {
        const auto endpoint = Endpoint::parse(box);
        if (!endpoint) {
            continue;
        }
        if (!endpoint->scheme.empty()) {
            json.field("scheme", endpoint->scheme);
        }
        json.field("ip", endpoint->ip).field("port", endpoint->port);
        json.field("weight", endpoint->weight);
        if (const auto ramp = Ramp::read(publication.attributes)) {
            json.key("ramp")
                .begin_object()
                .field("since_ms", ramp->since.unix_ms)
                .field("length_ms", to_ms(ramp->length))
                .end_object();
        }
        json.field("enabled", endpoint->enabled).field("healthy", endpoint->healthy);
        write_map(json, "metadata", endpoint->metadata);
        break;
    }
    json.field("zone", publication.zone).field("app", publication.app);
    json.field("client_address", publication.client_address);
    write_strings(json, "boxes", publication.boxes);
    json.end_object();
}

void write_list(JsonWriter& json, const ServiceView& view) {
    json.reserve(view.publications.size() * kInstanceBytesGuess + kInstanceBytesGuess);
    write_service(json, *view.service);
    write_version(json, view.version);
    json.field("complete", view.complete);
    json.key("instances").begin_array();
    for (const auto& publication : view.publications) {
        write_instance(json, *publication);
    }
    json.end_array();
}

}  // namespace

std::string list_json(const ServiceView& view) {
    JsonWriter json;
    json.begin_object();
    write_list(json, view);
    json.end_object();
    return std::move(json).take();
}

std::string changed_json(const ServiceView& view) {
    JsonWriter json;
    json.begin_object().field("changed", true);
    write_list(json, view);
    json.end_object();
    return std::move(json).take();
}

std::string unchanged_json(const Service& service, Version version) {
    JsonWriter json;
    json.begin_object().field("changed", false);
    write_service(json, service);
    write_version(json, version);
    json.end_object();
    return std::move(json).take();
}

std::string list_event(const ServiceView& view) {
    const std::string data = list_json(view);
    std::string event;
    event.reserve(data.size() + 64);
    event.append("event: list\nid: ").append(std::to_string(view.version.raw()));
    event.append("\ndata: ").append(data).append("\n\n");
    return event;
}

std::string services_json(const msg::ListServicesReply& reply) {
    JsonWriter json;
    json.begin_object().key("services").begin_array();
    for (const auto& entry : reply.services) {
        json.begin_object();
        if (const auto service = parse_data_info_id(entry.data_info_id)) {
            write_service(json, *service);
        }
        json.field("data_info_id", entry.data_info_id).field("instances", entry.publications);
        write_version(json, entry.version);
        json.end_object();
    }
    json.end_array().field("more", reply.more).field("complete", reply.settled);
    if (reply.more && !reply.services.empty()) {
        json.field("next", reply.services.back().data_info_id);
    }
    json.end_object();
    return std::move(json).take();
}

std::string subscribers_json(const Service& service,
                             const std::vector<session::SubscriberInfo>& subscribers) {
    JsonWriter json;
    json.begin_object();
    write_service(json, service);
    json.key("subscribers").begin_array();
    for (const auto& subscriber : subscribers) {
        json.begin_object()
            .field("id", subscriber.id.raw())
            .field("client_address", subscriber.client_address)
            .field("door", subscriber.door)
            .field("app", subscriber.app)
            .field("scope", to_string(subscriber.scope))
            .field("zone", subscriber.zone)
            .field("acknowledged", std::to_string(subscriber.acknowledged.raw()))
            .field("behind", subscriber.behind)
            .end_object();
    }
    json.end_array().end_object();
    return std::move(json).take();
}

std::string flapping_json(const std::vector<session::FlappingInstance>& instances,
                          std::size_t damped) {
    JsonWriter json;
    json.begin_object().key("flapping").begin_array();
    for (const auto& instance : instances) {
        json.begin_object()
            .field("service", instance.service->path())
            .field("instance", instance.instance)
            .field("id", instance_id_of(instance.id))
            .field("client_address", instance.client_address)
            .field("flips", instance.flips)
            .field("held_ms", to_ms(instance.held))
            .field("left_ms", to_ms(instance.left))
            .end_object();
    }
    json.end_array().field("damped", damped).end_object();
    return std::move(json).take();
}

std::string status_json(const session::SessionStatus& status, const std::string& center,
                        const std::vector<std::string>& servers) {
    JsonWriter json;
    json.begin_object()
        .field("ready", status.ready)
        .field("settled", status.settled)
        .field("center", center);
    write_strings(json, "servers", servers);
    json.field("connections", status.connections)
        .field("publications", status.publications)
        .field("suspects", status.suspects)
        .field("braking", status.braking)
        .field("damped", status.damped)
        .field("subscriptions", status.subscriptions)
        .field("watches", status.watches)
        .field("services_cached", status.services_cached)
        .field("unacknowledged_writes", status.unacknowledged_writes)
        .field("slot_table_epoch", std::to_string(status.table_epoch.raw()))
        .end_object();
    return std::move(json).take();
}

}  // namespace muster::http
