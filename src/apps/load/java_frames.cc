#include "apps/load/java_frames.h"

#include <initializer_list>
#include <utility>

#include "wire/bolt/frame_encoder.h"
#include "wire/hessian/bean.h"
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
// What going through one item of a list costs of kPushBoxesBytesMax: no list takes long for its
// bytes.
constexpr std::size_t kPerItem = hessian::Budget::kPerString;

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

// The boxes of a map from zones to lists of boxes. One list may stand for many zones, so going
// through it is counted, too.
Result<std::vector<std::string>> boxes_in(const hessian::RefIndex& refs,
                                          const hessian::Value* data) {
    std::vector<std::string> boxes;
    const auto* zones = data == nullptr ? nullptr : data->get<hessian::Map>();
    if (zones == nullptr) {
        return boxes;
    }
    hessian::Budget budget(kPushBoxesBytesMax, "boxes");
    for (const hessian::MapEntry& zone : zones->entries) {
        const hessian::Value& of_zone = refs.resolve(zone.value);
        const auto* list = of_zone.get<hessian::List>();
        MUSTER_TRY(budget.spend(list == nullptr ? 0 : list->items.size() * kPerItem));
        MUSTER_TRY(append_texts(refs, &of_zone, "data", budget, boxes));
    }
    return boxes;
}

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
    const hessian::RefIndex refs(read->value);
    const hessian::Bean bean(refs, read->value);
    if (!bean.exists()) {
        return fail(Errc::bad_content, "a push that cannot be read: no bean");
    }
    auto boxes = boxes_in(refs, bean.find("data"));
    if (!boxes) {
        return wrap("a push that cannot be read", std::move(boxes).error());
    }
    return JavaPush{.service = {.tenant = bean.text("instanceId"),
                                .group = bean.text("group"),
                                .data_id = bean.text("dataId")},
                    .scope = scope_named(bean.text("scope")),
                    .version = Version(static_cast<std::uint64_t>(bean.number("version"))),
                    .boxes = std::move(*boxes)};
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
    const hessian::RefIndex refs(read->value);
    const hessian::Bean bean(refs, read->value);
    if (!bean.exists()) {
        return fail(Errc::bad_content, "an answer that cannot be read: no bean");
    }
    if (bean.number("success") == 0) {
        return fail(Errc::refused, bean.text("message"));
    }
    return {};
}

}  // namespace muster::load
