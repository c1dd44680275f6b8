#include "client_frames.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include "base/check.h"
#include "doors/native_codec/native_codec.h"
#include "sockets.h"
#include "wire/bolt/frame_encoder.h"
#include "wire/hessian/text.h"
#include "wire/hessian/writer.h"

namespace muster::bench {
namespace {

constexpr std::string_view kModel = "com.alipay.sofa.registry.core.model.";
constexpr std::int32_t kTimeoutMs = 1000;

std::int64_t wall_ms() {
    timespec time{};
    ::clock_gettime(CLOCK_REALTIME, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1'000'000;
}

// The fields SOFARegistry's publishers and subscribers share, and their values in order.
hessian::ClassShape shape(const std::string& class_name, const std::vector<std::string>& first,
                          bool with_data) {
    hessian::ClassShape made;
    made.name = hessian::text_of(class_name);
    for (const auto& field : first) {
        made.fields.push_back(hessian::text_of(field));
    }
    for (const auto* field : {"instanceId", "zone", "dataId", "group", "registId", "eventType",
                              "version", "timestamp"}) {
        made.fields.push_back(hessian::text_of(field));
    }
    if (with_data) {
        made.fields.push_back(hessian::text_of("dataList"));
    }
    return made;
}

void write_base(hessian::Writer& writer, const Service& service, const std::string& id,
                std::int64_t version) {
    writer.utf8(service.tenant);
    writer.utf8(kDefaultZone);
    writer.utf8(service.data_id);
    writer.utf8(service.group);
    writer.utf8(id);
    writer.utf8("REGISTER");
    writer.int64(version);
    writer.int64(wall_ms());
}

std::string java_frame(std::string_view class_name, const std::string& content,
                       std::int32_t request) {
    std::string frame;
    bolt::append_frame(frame, {.head = {.request_id = request, .timeout_ms = kTimeoutMs},
                               .class_name = class_name,
                               .content = content});
    return frame;
}

}  // namespace

PublicationPtr publication(const Service& service, const std::string& id, std::int64_t version,
                           const std::string& box) {
    auto made = std::make_shared<Publication>();
    made->id = RegistId(id);
    made->service = std::make_shared<const Service>(service);
    made->order = {.version = version, .timestamp_ms = wall_ms()};
    made->app = "bench";
    made->boxes = {box};
    return made;
}

std::string native_frame(const msg::ClientMessage& message) {
    const std::string content = native::encode(message);
    const bool reply = native::expects_reply(message);
    std::string frame;
    bolt::append_frame(
        frame, {.head = {.type = reply ? bolt::FrameType::request : bolt::FrameType::oneway,
                         .request_id = static_cast<std::int32_t>(native::request_id(message).raw()),
                         .codec = bolt::kCodecProtobuf,
                         .timeout_ms = reply ? kTimeoutMs : -1},
                .class_name = native::class_name(message),
                .content = content});
    return frame;
}

std::string native_subscribe(const Service& service, const std::string& id) {
    msg::Subscribe request{.request = msg::RequestId(1)};
    request.items.push_back({.subscription = {.id = RegistId(id),
                                              .service = std::make_shared<const Service>(service),
                                              .order = {.version = 1, .timestamp_ms = wall_ms()},
                                              .scope = Scope::data_center}});
    return native_frame(request);
}

msg::Push native_push(const bolt::Frame& push) {
    auto decoded =
        native::decode_server_message(push.class_name, push.content, native::client_codec_limits());
    if (!decoded || !std::holds_alternative<msg::Push>(*decoded)) {
        die("a push that cannot be read");
    }
    return std::get<msg::Push>(std::move(*decoded));
}

std::string native_ack(const bolt::Frame& push) {
    return native_ack(native_push(push));
}

std::string native_ack(const msg::Push& told) {
    return native_frame(msg::PushAck{.service = told.view->service,
                                     .scope = told.scope,
                                     .zone = told.zone,
                                     .version = told.view->version});
}

std::string java_publish(const Service& service, const std::string& id, std::int64_t version,
                         const std::string& box, std::int32_t request) {
    const std::string class_name = std::string(kModel) + "PublisherRegister";
    const auto register_shape = shape(class_name, {}, true);
    const hessian::ClassShape box_shape{.name = hessian::text_of(std::string(kModel) + "DataBox"),
                                        .fields = {hessian::text_of("data")}};
    std::string content;
    hessian::Writer writer(content);
    writer.begin_object(register_shape);
    write_base(writer, service, id, version);
    writer.begin_list({}, 1);
    writer.begin_object(box_shape);
    writer.utf8(box);
    writer.end_list();
    return java_frame(class_name, content, request);
}

std::string java_subscribe(const Service& service, const std::string& id, std::int32_t request) {
    const std::string class_name = std::string(kModel) + "SubscriberRegister";
    const auto register_shape = shape(class_name, {"scope"}, false);
    std::string content;
    hessian::Writer writer(content);
    writer.begin_object(register_shape);
    writer.utf8("dataCenter");
    write_base(writer, service, id, 1);
    return java_frame(class_name, content, request);
}

std::string java_ack(const bolt::Frame& push) {
    const std::string class_name = std::string(kModel) + "Result";
    const hessian::ClassShape result{
        .name = hessian::text_of(class_name),
        .fields = {hessian::text_of("success"), hessian::text_of("message")}};
    std::string content;
    hessian::Writer writer(content);
    writer.begin_object(result);
    writer.boolean(true);
    writer.null();
    std::string frame;
    bolt::append_frame(frame, {.head = bolt::response_to(push.head, bolt::Status::success),
                               .class_name = class_name,
                               .content = content});
    return frame;
}

std::size_t taken_of(const bolt::Frame& response) {
    const auto read = native::decode_response(
        {.request = msg::RequestId(static_cast<std::uint64_t>(response.head.request_id)),
         .bolt_status = static_cast<std::uint16_t>(response.head.status),
         .class_name = response.class_name},
        response.content, native::client_codec_limits());
    CHECK(read.has_value() && std::holds_alternative<msg::RequestReply>(*read));
    const auto& outcomes = std::get<msg::RequestReply>(*read).outcomes;
    CHECK(std::ranges::all_of(outcomes, [](const auto& one) { return one.result.has_value(); }));
    return outcomes.size();
}

bool is_push(const bolt::Frame& frame) {
    return !frame.head.is_response() &&
           (frame.class_name == native::kPushClass || frame.class_name.ends_with(".ReceivedData"));
}

}  // namespace muster::bench
