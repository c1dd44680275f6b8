#include "doors/bolt/sofa_answers.h"

#include <initializer_list>
#include <map>

#include "wire/hessian/writer.h"

namespace muster::doors::sofa {
namespace {

using hessian::ClassShape;
using hessian::Writer;

ClassShape shape(std::string_view name, std::initializer_list<const char*> fields) {
    ClassShape made{.name = hessian::text_of(name)};
    for (const char* field : fields) {
        made.fields.push_back(hessian::text_of(field));
    }
    return made;
}

const ClassShape kBoxShape = shape("com.alipay.sofa.registry.core.model.DataBox", {"data"});
const ClassShape kRegisterShape =
    shape(kRegisterResponse, {"success", "registId", "version", "refused", "message"});
const ClassShape kSyncConfigShape =
    shape(kSyncConfigResponse, {"retryInterval", "success", "message", "availableSegments"});
// Clients read by name: the subscribers stand last, so that all before them can be shared.
const ClassShape kDataShape =
    shape(kReceivedData, {"dataId", "group", "instanceId", "segment", "scope", "version",
                          "localZone", "data", "dataCount", "subscriberRegistIds"});
const ClassShape kConfigShape =
    shape(kReceivedConfigData,
          {"dataId", "group", "instanceId", "version", "configuratorRegistIds", "dataBox"});

std::string_view text_of(std::string_view id) {
    return id;
}

std::string_view text_of(const RegistId& id) {
    return id.raw();
}

void write_ids(Writer& writer, const auto& ids) {
    writer.begin_list(nullptr, ids.size());
    for (const auto& id : ids) {
        writer.utf8(text_of(id));
    }
    writer.end_list();
}

// Bytes of a box without its text: object, class index, and tag and length of a string.
constexpr std::size_t kBoxOverhead = 5;
constexpr std::size_t kBodyOverhead = 512;

struct ZoneBoxes {
    std::size_t count = 0;
    std::size_t bytes = 0;
    std::vector<const Publication*> publications;
};

std::map<std::string_view, ZoneBoxes> by_zone(const ServiceView& view) {
    std::map<std::string_view, ZoneBoxes> zones;
    for (const PublicationPtr& publication : view.publications) {
        ZoneBoxes& zone = zones[publication->zone];
        zone.count += publication->boxes.size();
        for (const std::string_view box : publication->boxes) {
            zone.bytes += box.size() + kBoxOverhead;
        }
        zone.publications.push_back(publication.get());
    }
    return zones;
}

}  // namespace

std::string register_response(const RegisterAnswer& answer) {
    std::string out;
    Writer writer(out);
    writer.begin_object(kRegisterShape);
    writer.boolean(answer.success);
    if (answer.success) {
        writer.utf8(answer.regist_id);
    } else {
        writer.null();
    }
    writer.int64(answer.success ? answer.version : 0);
    writer.boolean(false);
    writer.utf8(answer.message);
    return out;
}

std::string sync_config_response(std::string_view center) {
    std::string out;
    Writer writer(out);
    writer.begin_object(kSyncConfigShape);
    writer.int32(0);  // the client keeps its own interval
    writer.boolean(true);
    writer.null();
    writer.begin_list(nullptr, 1);
    writer.utf8(center);
    writer.end_list();
    return out;
}

std::string received_data_body(const SharedPush& push) {
    const auto zones = by_zone(push.view);
    std::string out;
    std::size_t bytes = kBodyOverhead;
    for (const auto& [name, zone] : zones) {
        bytes += zone.bytes;
    }
    out.reserve(bytes);
    Writer writer(out);
    const Service& service = *push.view.service;
    writer.begin_object(kDataShape);
    writer.utf8(service.data_id);
    writer.utf8(service.group);
    writer.utf8(service.tenant);
    writer.utf8(push.center);
    writer.utf8(to_string(push.scope));
    writer.int64(static_cast<std::int64_t>(push.view.version.raw()));
    if (push.zone.empty()) {
        writer.null();  // the client shows its own
    } else {
        writer.utf8(push.zone);
    }
    writer.begin_map(nullptr);
    for (const auto& [name, zone] : zones) {
        writer.utf8(name);
        writer.begin_list(nullptr, zone.count);
        for (const Publication* publication : zone.publications) {
            for (const std::string_view box : publication->boxes) {
                writer.begin_object(kBoxShape);
                writer.utf8(box);
            }
        }
        writer.end_list();
    }
    writer.end_map();
    writer.begin_map(nullptr);
    for (const auto& [name, zone] : zones) {
        writer.utf8(name);
        writer.int32(static_cast<std::int32_t>(zone.count));
    }
    writer.end_map();
    return out;
}

std::string received_data_tail(std::span<const std::string_view> subscribers) {
    std::string out;
    Writer writer(out);
    write_ids(writer, subscribers);
    return out;
}

std::string received_config_data(const msg::ConfigPush& push) {
    std::string out;
    Writer writer(out);
    writer.begin_object(kConfigShape);
    writer.utf8(push.key->data_id);
    writer.utf8(push.key->group);
    writer.utf8(push.key->tenant);
    writer.int64(static_cast<std::int64_t>(push.version.raw()));
    write_ids(writer, push.watchers);
    if (push.value == nullptr) {
        writer.null();
    } else {
        writer.begin_object(kBoxShape);
        writer.utf8(*push.value);
    }
    return out;
}

}  // namespace muster::doors::sofa
