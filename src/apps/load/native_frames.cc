#include "apps/load/native_frames.h"

#include <ctime>
#include <utility>

#include "doors/native_codec/native_codec.h"
#include "wire/bolt/frame_encoder.h"

namespace muster::load {
namespace {

constexpr std::int32_t kTimeoutMs = 1000;

std::string frame_of(const msg::ClientMessage& message, const std::string& content) {
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

}  // namespace

std::int64_t wall_ms() {
    timespec time{};
    ::clock_gettime(CLOCK_REALTIME, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1'000'000;
}

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
    return frame_of(message, native::encode(message));
}

std::string native_frame_unpacked(const msg::ClientMessage& message) {
    return frame_of(message, native::encode(message, {.takes_packed = false}));
}

std::string native_subscribe(const Service& service, const std::string& id) {
    msg::Subscribe request{.request = msg::RequestId(1)};
    request.items.push_back({.subscription = {.id = RegistId(id),
                                              .service = std::make_shared<const Service>(service),
                                              .order = {.version = 1, .timestamp_ms = wall_ms()},
                                              .scope = Scope::data_center}});
    return native_frame(request);
}

std::string native_heartbeat() {
    std::string frame;
    bolt::append_heartbeat(frame, {.codec = bolt::kCodecProtobuf}, 1);
    return frame;
}

std::string native_ack(const msg::Push& told, bool ok) {
    return native_frame(msg::PushAck{.service = told.view->service,
                                     .scope = told.scope,
                                     .zone = told.zone,
                                     .version = told.view->version,
                                     .ok = ok});
}

bool is_native_push(const bolt::Frame& frame) {
    return !frame.head.is_response() &&
           (frame.class_name == native::kPushClass || frame.class_name == native::kPackedPushClass);
}

Result<msg::Push> native_push(const bolt::Frame& push) {
    auto decoded =
        native::decode_server_message(push.class_name, push.content, native::client_codec_limits());
    if (!decoded) {
        return wrap("a push that cannot be read", std::move(decoded).error());
    }
    auto* told = std::get_if<msg::Push>(&*decoded);
    if (told == nullptr) {
        return fail(Errc::bad_content, "not a push: " + std::string(push.class_name));
    }
    return std::move(*told);
}

Result<msg::RequestReply> native_reply(const bolt::Frame& response) {
    auto read = native::decode_response(
        {.request = msg::RequestId(static_cast<std::uint32_t>(response.head.request_id)),
         .bolt_status = static_cast<std::uint16_t>(response.head.status),
         .class_name = response.class_name},
        response.content, native::client_codec_limits());
    if (!read) {
        return wrap("an answer that cannot be read", std::move(read).error());
    }
    if (auto* failure = std::get_if<native::RequestFailure>(&*read)) {
        return std::unexpected(std::move(failure->error));
    }
    return std::get<msg::RequestReply>(std::move(*read));
}

}  // namespace muster::load
