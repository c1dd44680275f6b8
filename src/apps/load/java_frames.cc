#include "apps/load/java_frames.h"

#include <initializer_list>
#include <utility>

#include "wire/bolt/frame_encoder.h"
#include "wire/hessian/reader.h"
#include "wire/hessian/text.h"
#include "wire/hessian/writer.h"

namespace muster::load {
namespace {

constexpr std::string_view kPublisher = "com.alipay.sofa.registry.core.model.PublisherRegister";
constexpr std::string_view kSubscriber = "com.alipay.sofa.registry.core.model.SubscriberRegister";
constexpr std::string_view kBox = "com.alipay.sofa.registry.core.model.DataBox";
constexpr std::string_view kResult = "com.alipay.sofa.registry.core.model.Result";
constexpr std::string_view kReceivedData = "com.alipay.sofa.registry.core.model.ReceivedData";
constexpr std::string_view kApp = "bench";
constexpr std::int32_t kTimeoutMs = 1000;

hessian::ClassShape shape(std::string_view name, std::initializer_list<std::string_view> before,
                          std::initializer_list<std::string_view> after) {
    hessian::ClassShape made{.name = hessian::text_of(name), .fields = {}};
    for (const std::string_view field : before) {
        made.fields.push_back(hessian::text_of(field));
    }
    for (const char* field :
         {"instanceId", "zone", "appName", "dataId", "group", "processId", "registId", "clientId",
          "dataInfoId", "ip", "port", "eventType", "version", "timestamp"}) {
        made.fields.push_back(hessian::text_of(field));
    }
    for (const std::string_view field : after) {
        made.fields.push_back(hessian::text_of(field));
    }
    return made;
}

const hessian::ClassShape kPublisherShape = shape(kPublisher, {}, {"dataList", "attributes"});
const hessian::ClassShape kSubscriberShape = shape(kSubscriber, {"scope"}, {"attributes"});
const hessian::ClassShape kBoxShape{.name = hessian::text_of(kBox),
                                    .fields = {hessian::text_of("data")}};
const hessian::ClassShape kResultShape{
    .name = hessian::text_of(kResult),
    .fields = {hessian::text_of("success"), hessian::text_of("message")}};

// What publishers and subscribers share, in the order of shape().
void write_base(hessian::Writer& writer, const JavaState& state) {
    writer.utf8(state.service.tenant);
    writer.utf8(kDefaultZone);
    writer.utf8(kApp);
    writer.utf8(state.service.data_id);
    writer.utf8(state.service.group);
    writer.null();  // processId
    writer.utf8(state.id);
    writer.null();  // clientId
    writer.null();  // dataInfoId
    writer.null();  // ip
    writer.null();  // port
    writer.utf8(state.leaves ? "UNREGISTER" : "REGISTER");
    writer.int64(state.order.version);
    writer.int64(state.order.timestamp_ms);
}

std::string request_frame(std::string_view class_name, const std::string& content,
                          std::int32_t request) {
    std::string frame;
    bolt::append_frame(frame, {.head = {.request_id = request, .timeout_ms = kTimeoutMs},
                               .class_name = class_name,
                               .content = content});
    return frame;
}

// A bean of a content, its references resolved.
class Bean {
public:
    explicit Bean(const hessian::Value& root) : refs_(root), object_(root.get<hessian::Object>()) {}

    [[nodiscard]] const hessian::Value* find(std::string_view field) const {
        const hessian::Value* found = object_ == nullptr ? nullptr : object_->find(field);
        return found == nullptr ? nullptr : &refs_.resolve(*found);
    }
    [[nodiscard]] std::string text(std::string_view field) const {
        return text_in(find(field));
    }
    [[nodiscard]] std::int64_t number(std::string_view field) const {
        const hessian::Value* value = find(field);
        if (const auto* narrow = value == nullptr ? nullptr : value->get<std::int32_t>()) {
            return *narrow;
        }
        const auto* wide = value == nullptr ? nullptr : value->get<std::int64_t>();
        return wide == nullptr ? 0 : *wide;
    }
    [[nodiscard]] bool truth(std::string_view field) const {
        const hessian::Value* value = find(field);
        const auto* said = value == nullptr ? nullptr : value->get<bool>();
        return said != nullptr && *said;
    }
    // The boxes of a map from zones to lists of boxes.
    [[nodiscard]] std::vector<std::string> boxes(std::string_view field) const {
        std::vector<std::string> all;
        const hessian::Value* value = find(field);
        const auto* zones = value == nullptr ? nullptr : value->get<hessian::Map>();
        if (zones == nullptr) {
            return all;
        }
        for (const hessian::MapEntry& zone : zones->entries) {
            const auto* list = refs_.resolve(zone.value).get<hessian::List>();
            if (list == nullptr) {
                continue;
            }
            for (const hessian::Value& item : list->items) {
                const auto* box = refs_.resolve(item).get<hessian::Object>();
                const hessian::Value* data = box == nullptr ? nullptr : box->find("data");
                all.push_back(text_in(data == nullptr ? nullptr : &refs_.resolve(*data)));
            }
        }
        return all;
    }

private:
    static std::string text_in(const hessian::Value* value) {
        const auto* text = value == nullptr ? nullptr : value->get<hessian::Text>();
        return text == nullptr ? std::string() : hessian::to_utf8(*text);
    }

    hessian::RefIndex refs_;
    const hessian::Object* object_;
};

Scope scope_named(std::string_view name) {
    for (const Scope scope : {Scope::data_center, Scope::global}) {
        if (name == to_string(scope)) {
            return scope;
        }
    }
    return Scope::zone;
}

}  // namespace

std::string java_publisher(const JavaState& state, const std::vector<std::string>& boxes) {
    std::string content;
    hessian::Writer writer(content);
    writer.begin_object(kPublisherShape);
    write_base(writer, state);
    if (state.leaves) {
        writer.null();
    } else {
        writer.begin_list({}, boxes.size());
        for (const std::string& box : boxes) {
            writer.begin_object(kBoxShape);
            writer.utf8(box);
        }
        writer.end_list();
    }
    writer.null();  // attributes
    return request_frame(kPublisher, content, state.request);
}

std::string java_subscriber(const JavaState& state, Scope scope) {
    std::string content;
    hessian::Writer writer(content);
    writer.begin_object(kSubscriberShape);
    writer.utf8(to_string(scope));
    write_base(writer, state);
    writer.null();  // attributes
    return request_frame(kSubscriber, content, state.request);
}

std::string java_heartbeat() {
    std::string frame;
    bolt::append_heartbeat(frame, {}, 1);
    return frame;
}

std::string java_ack(const bolt::Frame& push) {
    std::string content;
    hessian::Writer writer(content);
    writer.begin_object(kResultShape);
    writer.boolean(true);
    writer.null();
    std::string frame;
    bolt::append_frame(frame, {.head = bolt::response_to(push.head, bolt::Status::success),
                               .class_name = kResult,
                               .content = content});
    return frame;
}

bool is_java_push(const bolt::Frame& frame) {
    return !frame.head.is_response() && frame.class_name == kReceivedData;
}

Result<JavaPush> java_push(const bolt::Frame& push) {
    const auto read = hessian::read_value(push.content);
    if (!read) {
        return wrap("a push that cannot be read", read.error());
    }
    const Bean bean(read->value);
    return JavaPush{.service = {.tenant = bean.text("instanceId"),
                                .group = bean.text("group"),
                                .data_id = bean.text("dataId")},
                    .scope = scope_named(bean.text("scope")),
                    .version = Version(static_cast<std::uint64_t>(bean.number("version"))),
                    .boxes = bean.boxes("data")};
}

Result<void> java_answer(const bolt::Frame& response) {
    if (response.head.status != bolt::Status::success) {
        return fail(Errc::refused,
                    "bolt status " + std::to_string(static_cast<unsigned>(response.head.status)));
    }
    const auto read = hessian::read_value(response.content);
    if (!read) {
        return wrap("an answer that cannot be read", read.error());
    }
    const Bean bean(read->value);
    if (!bean.truth("success")) {
        return fail(Errc::refused, bean.text("message"));
    }
    return {};
}

}  // namespace muster::load
