#include "sim/deltas/byte_client.h"

#include <utility>
#include <variant>

#include "wire/bolt/frame_encoder.h"

namespace muster::sim {
namespace {

// Heartbeats have ids above those of all requests of a run.
constexpr std::int32_t kHeartbeatIds = 0x40000000;

bolt::FrameHead head_of(const msg::ClientMessage& message) {
    const bool answered = native::expects_reply(message);
    return {.type = answered ? bolt::FrameType::request : bolt::FrameType::oneway,
            .request_id = static_cast<std::int32_t>(native::request_id(message).raw()),
            .codec = bolt::kCodecProtobuf};
}

}  // namespace

ByteClient::ByteClient(Setup setup, OnList on_list)
    : net_(setup.net),
      zone_(setup.zone),
      process_(setup.scheduler, setup.trace, Prng(setup.prng.next()), setup.name),
      timers_(process_),
      limits_(native::client_codec_limits()),
      on_list_(std::move(on_list)),
      role_({.servers = std::move(setup.servers), .id_prefix = setup.name, .zone = setup.zone},
            {.clock = process_.clock(),
             .timers = timers_,
             .link = *this,
             .observer = *this,
             .prng = Prng(setup.prng.next()),
             .log = {}}) {
    timers_.attach(role_);
    process_.start();
    role_.start();
}

env::ConnId ByteClient::conn() const {
    const auto known = by_link_.find(role_.link());
    return known == by_link_.end() ? env::ConnId{} : known->second;
}

// ---- the link

void ByteClient::connect(client::LinkId link, const std::string& server) {
    const auto address = env::parse_socket_address(server);
    const env::ConnId conn = net_.dial(address.value_or(env::SocketAddress{}), *this);
    connections_[conn] = {.link = link,
                          .reader = std::make_shared<bolt::FrameReader>(bolt::FrameLimits{
                              .frame_bytes_max = limits_.message_bytes_max + 4096})};
    by_link_[link] = conn;
}

void ByteClient::send(client::LinkId link, msg::ClientMessage message) {
    const auto known = by_link_.find(link);
    if (known == by_link_.end()) {
        return;
    }
    std::string bytes;
    bolt::append_frame(bytes, {.head = head_of(message),
                               .class_name = native::class_name(message),
                               .content = native::encode(message)});
    net_.send(known->second, std::move(bytes));
}

void ByteClient::send_heartbeat(client::LinkId link) {
    const auto known = by_link_.find(link);
    if (known == by_link_.end()) {
        return;
    }
    std::string bytes;
    bolt::append_heartbeat(bytes, {.codec = bolt::kCodecProtobuf},
                           kHeartbeatIds + ++connections_.at(known->second).heartbeats);
    net_.send(known->second, std::move(bytes));
}

void ByteClient::disconnect(client::LinkId link) {
    const auto known = by_link_.find(link);
    if (known == by_link_.end()) {
        return;
    }
    net_.close(known->second);
    connections_.erase(known->second);
    by_link_.erase(known);
}

void ByteClient::on_connected(env::ConnId conn) {
    if (const auto known = connections_.find(conn); known != connections_.end()) {
        ++told_.connects;
        role_.on_link_up(known->second.link);
    }
}

void ByteClient::on_closed(env::ConnId conn, const Error& why) {
    const auto known = connections_.find(conn);
    if (known == connections_.end()) {
        return;
    }
    const client::LinkId link = known->second.link;
    connections_.erase(known);
    by_link_.erase(link);
    role_.on_link_down(link, why);
}

// ---- what comes

void ByteClient::on_bytes(env::ConnId conn, std::string_view bytes) {
    const auto known = connections_.find(conn);
    if (known == connections_.end()) {
        return;
    }
    // The role may disconnect while it is told.
    const std::shared_ptr<bolt::FrameReader> reader = known->second.reader;
    const client::LinkId link = known->second.link;
    reader->feed(bytes);
    bolt::DecodedFrame decoded = reader->next();
    for (; decoded.outcome == bolt::Decode::message; decoded = reader->next()) {
        on_frame(link, decoded.frame);
        if (!by_link_.contains(link)) {
            return;
        }
    }
    told_.bad_messages += decoded.outcome == bolt::Decode::need_more ? 0 : 1;
}

void ByteClient::on_frame(client::LinkId link, const bolt::Frame& frame) {
    if (frame.head.is_heartbeat()) {
        role_.on_heartbeat_ack(link);
    } else if (frame.head.is_response()) {
        on_response(link, frame);
    } else {
        on_server_message(link, frame);
    }
}

void ByteClient::on_response(client::LinkId link, const bolt::Frame& frame) {
    const native::ResponseHead head{
        .request = msg::RequestId(static_cast<std::uint32_t>(frame.head.request_id)),
        .bolt_status = static_cast<std::uint16_t>(frame.head.status),
        .class_name = frame.class_name};
    const auto response = native::decode_response(head, frame.content, limits_);
    if (!response) {
        ++told_.bad_messages;
        role_.on_request_failed(link, head.request, response.error());
    } else if (const auto* failure = std::get_if<native::RequestFailure>(&*response)) {
        role_.on_request_failed(link, failure->request, failure->error);
    } else {
        role_.on_reply(link, std::get<msg::RequestReply>(*response));
    }
}

void ByteClient::on_server_message(client::LinkId link, const bolt::Frame& frame) {
    const auto message = native::decode_server_message(frame.class_name, frame.content, limits_);
    if (!message) {
        ++told_.bad_messages;
    } else if (const auto* push = std::get_if<msg::Push>(&*message)) {
        count(*push, frame);
        role_.on_push(link, *push);
    } else if (const auto* hint = std::get_if<msg::ServerHint>(&*message)) {
        role_.on_hint(link, *hint);
    }
}

void ByteClient::count(const msg::Push& push, const bolt::Frame& frame) {
    ++(push.delta != nullptr ? told_.deltas : told_.wholes);
    const bool is_long = push.delta == nullptr && push.view->publications.size() >= kLong;
    told_.long_wholes += is_long ? 1 : 0;
    told_.packed += frame.class_name == native::kPackedPushClass ? 1 : 0;
    told_.bytes += frame.content.size();
}

void ByteClient::on_list(const client::ListKey& key, const client::ListState& list) {
    on_list_(key, *list.view);
}

}  // namespace muster::sim
