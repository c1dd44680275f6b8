#include "client_frames.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "sockets.h"
#include "wire/bolt/frame_encoder.h"
#include "wire/hessian/text.h"
#include "wire/hessian/writer.h"

namespace muster::bench {
namespace {

constexpr std::string_view kModel = "com.alipay.sofa.registry.core.model.";
constexpr std::int32_t kTimeoutMs = 1000;

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
    writer.int64(load::wall_ms());
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

msg::Push native_push(const bolt::Frame& push) {
    auto told = load::native_push(push);
    if (!told) {
        die(to_string(told.error()));
    }
    return std::move(*told);
}

std::string native_ack(const bolt::Frame& push) {
    return native_ack(native_push(push));
}

std::string native_ack(const msg::Push& told) {
    return load::native_ack(told);
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
    const auto read = load::native_reply(response);
    CHECK(read.has_value());
    CHECK(std::ranges::all_of(read->outcomes,
                              [](const auto& one) { return one.result.has_value(); }));
    return read->outcomes.size();
}

bool is_push(const bolt::Frame& frame) {
    return load::is_native_push(frame) ||
           (!frame.head.is_response() && frame.class_name.ends_with(".ReceivedData"));
}

}  // namespace muster::bench
