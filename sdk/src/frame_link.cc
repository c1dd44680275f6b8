#include "frame_link.h"

#include <variant>

#include "base/check.h"
#include "doors/native_codec/mark_codec.h"
#include "mark_calls.h"
#include "wire/bolt/frame_encoder.h"

namespace muster::sdk_core {
namespace {

// Heartbeats have ids above all requests the role numbers in one connection's life.
constexpr std::int32_t kHeartbeatIds = 0x40000000;
constexpr std::size_t kFrameOverhead = 4096;

bolt::FrameHead head_of(const msg::ClientMessage& message) {
    const bool answered = native::expects_reply(message);
    return {.type = answered ? bolt::FrameType::request : bolt::FrameType::oneway,
            .request_id = static_cast<std::int32_t>(native::request_id(message).raw()),
            .codec = bolt::kCodecProtobuf};
}

}  // namespace

FrameLink::FrameLink(env::Net& net, const env::Clock& clock, Log log)
    : net_(net), clock_(clock), log_(log), limits_(native::client_codec_limits()) {}

void FrameLink::connect(client::LinkId link, const std::string& server) {
    // What is no address cannot be dialled; port 0 refuses, so the role hears of it as of any
    // server that is not there.
    const auto address = env::parse_socket_address(server);
    if (!address) {
        log_.warning("client.server.malformed", {{"server", server}});
    }
    const env::ConnId conn =
        net_.dial(address.value_or(env::SocketAddress{.ip = "127.0.0.1", .port = 0}), *this);
    const bolt::FrameLimits limits{.frame_bytes_max = limits_.message_bytes_max + kFrameOverhead};
    connections_.emplace(
        conn, Connection{.link = link, .reader = std::make_shared<bolt::FrameReader>(limits)});
    by_link_.emplace(link, conn);
}

void FrameLink::send(client::LinkId link, msg::ClientMessage message) {
    const auto found = by_link_.find(link);
    if (found == by_link_.end()) {
        return;
    }
    const std::string content = native::encode(message);
    const std::string_view name = native::class_name(message);
    std::string bytes;
    bytes.reserve(content.size() + name.size() + 32);
    bolt::append_frame_head(bytes, head_of(message), name, content.size());
    bytes += content;
    net_.send(found->second, std::move(bytes));
}

void FrameLink::send_mark(client::LinkId link, const msg::MarkWish& wish) {
    const auto found = by_link_.find(link);
    if (found == by_link_.end()) {
        return;
    }
    std::string bytes;
    bolt::append_frame(
        bytes, {.head = {.type = bolt::FrameType::request,
                         .request_id = static_cast<std::int32_t>(std::uint32_t(wish.request.raw())),
                         .codec = bolt::kCodecProtobuf},
                .class_name = native::kMarkClass,
                .content = native::encode(wish)});
    net_.send(found->second, std::move(bytes));
}

void FrameLink::send_heartbeat(client::LinkId link) {
    const auto found = by_link_.find(link);
    if (found == by_link_.end()) {
        return;
    }
    Connection& connection = connections_.at(found->second);
    connection.last_heartbeat = (connection.last_heartbeat + 1) % kHeartbeatIds;
    std::string bytes;
    bolt::append_heartbeat(bytes, {.codec = bolt::kCodecProtobuf},
                           kHeartbeatIds + connection.last_heartbeat);
    net_.send(found->second, std::move(bytes));
}

void FrameLink::disconnect(client::LinkId link) {
    const auto found = by_link_.find(link);
    if (found == by_link_.end()) {
        return;
    }
    net_.close(found->second);
    connections_.erase(found->second);
    by_link_.erase(found);
}

void FrameLink::on_accepted(env::ConnId conn, const env::SocketAddress& /*peer*/) {
    CHECK_BECAUSE(conn == env::ConnId{}, "a client listens nowhere");
}

void FrameLink::on_connected(env::ConnId conn) {
    const auto found = connections_.find(conn);
    if (found != connections_.end()) {
        role_->on_link_up(found->second.link);
    }
}

void FrameLink::on_closed(env::ConnId conn, const Error& why) {
    const auto found = connections_.find(conn);
    if (found == connections_.end()) {
        return;
    }
    const client::LinkId link = found->second.link;
    connections_.erase(found);
    by_link_.erase(link);
    role_->on_link_down(link, why);
}

void FrameLink::on_drained(env::ConnId /*conn*/) {}

void FrameLink::on_bytes(env::ConnId conn, std::string_view bytes) {
    const auto found = connections_.find(conn);
    if (found == connections_.end()) {
        return;
    }
    received_ = clock_.mono();
    stats_.received_bytes += bytes.size();
    // The role may disconnect while it is told: the reader lives until the end of this call.
    const std::shared_ptr<bolt::FrameReader> reader = found->second.reader;
    const client::LinkId link = found->second.link;
    reader->feed(bytes);
    while (true) {
        const bolt::DecodedFrame decoded = reader->next();
        if (decoded.outcome == bolt::Decode::need_more) {
            break;
        }
        if (decoded.outcome != bolt::Decode::message) {
            disconnect(link);
            role_->on_link_down(link, {Errc::bad_frame, std::string(decoded.why)});
            return;
        }
        on_frame(link, decoded.frame);
        if (!by_link_.contains(link)) {
            return;
        }
    }
}

void FrameLink::on_frame(client::LinkId link, const bolt::Frame& frame) {
    if (frame.head.is_heartbeat()) {
        if (frame.head.is_response()) {
            role_->on_heartbeat_ack(link);
        }
    } else if (frame.head.is_response()) {
        on_response(link, frame);
    } else {
        on_server_message(link, frame);
    }
}

void FrameLink::on_response(client::LinkId link, const bolt::Frame& frame) {
    const native::ResponseHead head{
        .request = msg::RequestId(static_cast<std::uint64_t>(std::uint32_t(frame.head.request_id))),
        .bolt_status = static_cast<std::uint16_t>(frame.head.status),
        .class_name = frame.class_name};
    if (mark_ear_ && MarkCalls::is_mark(head.request)) {
        on_mark_response(head, frame);
        return;
    }
    const auto response = native::decode_response(head, frame.content, limits_);
    if (!response) {
        drop("response", response.error());
        role_->on_request_failed(link, head.request, response.error());
    } else if (const auto* failure = std::get_if<native::RequestFailure>(&*response)) {
        role_->on_request_failed(link, failure->request, failure->error);
    } else {
        role_->on_reply(link, std::get<msg::RequestReply>(*response));
    }
}

void FrameLink::on_mark_response(const native::ResponseHead& head, const bolt::Frame& frame) {
    if (head.bolt_status == 0 && head.class_name == native::kMarkReplyClass) {
        mark_ear_(head.request, native::decode_mark_reply(frame.content, head.request, limits_));
        return;
    }
    const auto response = native::decode_response(head, frame.content, limits_);
    const auto* failure = response ? std::get_if<native::RequestFailure>(&*response) : nullptr;
    mark_ear_(head.request,
              std::unexpected(failure != nullptr ? failure->error
                              : response         ? Error{Errc::unknown_type, "not a MarkReply"}
                                                 : response.error()));
}

void FrameLink::on_server_message(client::LinkId link, const bolt::Frame& frame) {
    const auto message = native::decode_server_message(frame.class_name, frame.content, limits_);
    if (!message) {
        drop(frame.class_name, message.error());
    } else if (const auto* push = std::get_if<msg::Push>(&*message)) {
        ++stats_.pushes;
        role_->on_push(link, *push);
    } else if (const auto* config = std::get_if<msg::ConfigPush>(&*message)) {
        ++stats_.pushes;
        role_->on_config_push(link, *config);
    } else {
        role_->on_hint(link, std::get<msg::ServerHint>(*message));
    }
}

void FrameLink::drop(std::string_view what, const Error& why) {
    ++stats_.bad_messages;
    log_.warning("client.message.dropped", {{"message", what}, {"why", to_string(why)}});
}

}  // namespace muster::sdk_core
