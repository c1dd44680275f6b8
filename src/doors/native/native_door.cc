#include "doors/native/native_door.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "doors/native_codec/mark_codec.h"
#include "wire/bolt/frame_encoder.h"

namespace muster::doors {
namespace {

constexpr std::string_view kDoorName = "native";

// A RequestId as the session echoes it: the frame's id and what its answer is framed like.
constexpr unsigned kProtocolShift = 32;
constexpr unsigned kVersionShift = 40;
constexpr unsigned kSwitchesShift = 48;
constexpr std::uint64_t kOnewayBit = std::uint64_t{1} << 56U;

NativeBadFrame kind_of(Errc code) {
    switch (code) {
        case Errc::unknown_type: return NativeBadFrame::unknown_class;
        case Errc::bad_content: return NativeBadFrame::malformed;
        case Errc::too_large: return NativeBadFrame::over_limit;
        default: return NativeBadFrame::invalid;
    }
}

// Subscribers that a MarkReply names.
constexpr std::uint32_t kBehindNamed = 20;

msg::MarkOutcome outcome_of(const propagation::DrainReport& report, msg::RequestId request) {
    msg::MarkOutcome outcome{.request = request,
                             .ids = report.ids,
                             .changed = report.changed,
                             .others = report.others,
                             .confirmed = report.confirmed,
                             .gone = report.gone,
                             .lists = static_cast<std::uint32_t>(report.who.lists),
                             .behind = static_cast<std::uint32_t>(report.who.behind),
                             .lines = {},
                             .silent = {},
                             .lacking = {},
                             .waited = report.waited};
    for (const auto& line : report.who.lines) {
        outcome.lines.push_back({.client_address = line.subscriber.client_address,
                                 .app = line.subscriber.app,
                                 .session = line.session.raw()});
    }
    for (const msg::RoleAddress& who : report.who.silent) {
        outcome.silent.push_back(who.node.raw());
    }
    for (const NodeId& node : report.lacking) {
        outcome.lacking.push_back(node.raw());
    }
    return outcome;
}

constexpr std::array<std::string_view, std::variant_size_v<msg::ClientMessage>> kMessageNames = {
    "register", "unregister", "subscribe", "unsubscribe", "watch", "unwatch", "push_ack"};

}  // namespace

std::string_view to_string(NativeBadFrame bad) {
    switch (bad) {
        case NativeBadFrame::unknown_class: return "unknown_class";
        case NativeBadFrame::malformed: return "malformed";
        case NativeBadFrame::over_limit: return "over_limit";
        case NativeBadFrame::invalid: return "invalid";
        case NativeBadFrame::bad_oneway: return "bad_oneway";
        case NativeBadFrame::stray_response: return "stray_response";
    }
    return "unknown";
}

NativeDoor::NativeDoor(NativeDoorOptions options, session::ClientFace& session, Log log)
    : options_(options),
      session_(session),
      log_(log),
      bodies_(options.push_bodies_bytes_max, options.pushes_packed_above) {}

msg::RequestId NativeDoor::pack(const bolt::FrameHead& head) {
    return msg::RequestId(std::uint64_t{static_cast<std::uint32_t>(head.request_id)} |
                          std::uint64_t{head.protocol} << kProtocolShift |
                          std::uint64_t{head.version} << kVersionShift |
                          std::uint64_t{head.switches} << kSwitchesShift |
                          (head.type == bolt::FrameType::oneway ? kOnewayBit : std::uint64_t{0}));
}

bolt::FrameHead NativeDoor::unpack(msg::RequestId request) {
    const std::uint64_t raw = request.raw();
    return {.protocol = static_cast<std::uint8_t>(raw >> kProtocolShift),
            .version = static_cast<std::uint8_t>(raw >> kVersionShift),
            .type = (raw & kOnewayBit) != 0 ? bolt::FrameType::oneway : bolt::FrameType::request,
            .request_id = static_cast<std::int32_t>(static_cast<std::uint32_t>(raw)),
            .codec = bolt::kCodecProtobuf,
            .switches = static_cast<std::uint8_t>(raw >> kSwitchesShift)};
}

// ---- from the client

void NativeDoor::on_open(env::ConnId conn, const env::SocketAddress& peer, bolt::FramePort& port) {
    const std::string address = env::to_string(peer);
    clients_[conn] = {.port = &port, .address = address};
    session_.on_client_open(conn, {.address = address, .door = std::string(kDoorName)}, *this);
}

void NativeDoor::on_frame(env::ConnId conn, const bolt::Frame& frame) {
    const auto found = clients_.find(conn);
    if (found == clients_.end()) {
        return;
    }
    Client& client = found->second;
    if (frame.head.is_response()) {
        count(NativeBadFrame::stray_response);
        return;
    }
    client.dialect = frame.head;
    if (frame.class_name == native::kMarkClass) {
        on_mark(conn, client, frame);
        return;
    }
    const auto message = native::decode_request(
        frame.class_name, frame.content,
        {.request = pack(frame.head), .client_address = client.address}, options_.limits);
    if (!message) {
        refuse(conn, client, frame.head, message.error());
        return;
    }
    client.takes_packed =
        client.takes_packed || native::says_takes_packed(frame.class_name, frame.content);
    messages_[message->index()].add();
    if (const auto* request = std::get_if<msg::RegisterPublishers>(&*message)) {
        items_registered_.add(request->publications.size());
    } else if (const auto* ack = std::get_if<msg::PushAck>(&*message)) {
        acks_refused_.add(ack->ok ? 0 : 1);
        if (frame.head.type == bolt::FrameType::request) {
            answer(conn, client, frame.head, {});  // a oneway that asks for an answer gets one
        }
    }
    session_.on_client_message(conn, *message);  // may end the connection
}

// ---- drains

void NativeDoor::on_mark(env::ConnId conn, Client& client, const bolt::Frame& frame) {
    auto wish = native::decode_mark_request(frame.content, pack(frame.head), options_.limits);
    if (!wish) {
        refuse(conn, client, frame.head, wish.error());
        return;
    }
    propagation::DrainWish drain{.service = std::move(wish->service),
                                 .address = std::move(wish->address),
                                 .kind = wish->kind,
                                 .ramp = wish->ramp,
                                 .timeout = wish->timeout,
                                 .limit = kBehindNamed,
                                 .asked_by = std::move(wish->asked_by)};
    if (const auto can_be = drain.check(); !can_be) {
        refuse(conn, client, frame.head, can_be.error());
    } else if (marks_ == nullptr) {
        answer_failure(conn, client, frame.head,
                       Error{Errc::unavailable, "nobody here carries out drains"});
    } else if (client.marks >= kMarksMax) {
        answer_failure(
            conn, client, frame.head,
            Error{Errc::busy, fmt::format("{} drains of this connection are not over yet; ask "
                                          "again when one is",
                                          client.marks)});
    } else {
        ++client.marks;
        marks_asked_.add();
        marks_->ask_mark(std::move(drain), [this, conn, head = frame.head](const auto& report) {
            on_marked(conn, head, report);
        });
    }
}

// The connection may have closed meanwhile. Then nobody is told, and the mark stays.
void NativeDoor::on_marked(env::ConnId conn, const bolt::FrameHead& head,
                           const Result<propagation::DrainReport>& report) {
    const auto found = clients_.find(conn);
    if (found == clients_.end()) {
        return;
    }
    Client& client = found->second;
    --client.marks;
    if (!report) {
        answer_failure(conn, client, head, report.error());
    } else if (head.type != bolt::FrameType::oneway) {
        answer(conn, client, head, native::encode(outcome_of(*report, pack(head))),
               native::kMarkReplyClass);
    }
}

void NativeDoor::on_drained(env::ConnId conn) {
    if (clients_.contains(conn)) {
        session_.on_client_drained(conn);
    }
}

void NativeDoor::on_closed(env::ConnId conn) {
    if (clients_.erase(conn) > 0) {
        session_.on_client_closed(conn);
    }
}

// ---- answers

void NativeDoor::refuse(env::ConnId conn, Client& client, const bolt::FrameHead& head,
                        const Error& error) {
    count(kind_of(error.code));
    log_.info("native.request.refused", {{"peer", client.address}, {"why", to_string(error)}});
    if (head.type == bolt::FrameType::oneway) {
        // It cannot be told, and would wait for what never comes.
        count(NativeBadFrame::bad_oneway);
        bolt::FramePort& port = *client.port;
        clients_.erase(conn);
        port.close(conn, error);
        session_.on_client_closed(conn);
        return;
    }
    answer_failure(conn, client, head, error);
}

void NativeDoor::answer_failure(env::ConnId conn, Client& client, const bolt::FrameHead& head,
                                const Error& error) {
    if (head.type == bolt::FrameType::oneway) {
        return;
    }
    std::string out;
    const std::string content = native::encode_failure(error);
    bolt::append_frame(out, {.head = bolt::response_to(
                                 head, static_cast<bolt::Status>(info(error.code).bolt_status)),
                             .class_name = native::kReplyClass,
                             .content = content});
    client.port->send(conn, std::move(out));
}

void NativeDoor::answer(env::ConnId conn, Client& client, const bolt::FrameHead& head,
                        std::string_view content, std::string_view class_name) {
    std::string out;
    bolt::append_frame(out, {.head = bolt::response_to(head, bolt::Status::success),
                             .class_name = class_name,
                             .content = content});
    replies_.add();
    client.port->send(conn, std::move(out));
}

void NativeDoor::reply(env::ConnId conn, const msg::RequestReply& reply) {
    const auto found = clients_.find(conn);
    const bolt::FrameHead head = unpack(reply.request);
    if (found != clients_.end() && head.type == bolt::FrameType::request) {
        answer(conn, found->second, head, native::encode(reply));
    }
}

// ---- pushes

bolt::FrameHead NativeDoor::oneway_head(Client& client) {
    bolt::FrameHead head = client.dialect;
    head.type = bolt::FrameType::oneway;
    head.command = bolt::Command::request;
    head.request_id = static_cast<std::int32_t>(++client.last_push_id);
    head.codec = bolt::kCodecProtobuf;
    head.timeout_ms = -1;
    head.status = bolt::Status::success;
    return head;
}

void NativeDoor::push(const msg::PushOrder& order) {
    std::array<std::optional<PushBody>, 2> bodies;  // as it is, and for who takes it packed
    for (const msg::PushTarget& target : order.targets) {
        const auto found = clients_.find(target.conn);
        if (found == clients_.end()) {
            continue;
        }
        Client& client = found->second;
        auto& body = bodies[client.takes_packed ? 1 : 0];
        if (!body) {
            body = bodies_.encode(order, client.takes_packed);
        }
        (order.delta != nullptr ? pushes_delta_ : pushes_full_).add();
        pushes_packed_.add(body->packed ? 1 : 0);
        push_to(target, client, *body);
    }
}

void NativeDoor::push_to(const msg::PushTarget& target, Client& client, const PushBody& body) {
    const bolt::FrameHead head = oneway_head(client);
    std::string tail = native::encode_push_tail(target.subscribers);
    std::string begin;
    bolt::append_frame_head(begin, head,
                            body.packed ? native::kPackedPushClass : native::kPushClass,
                            body.bytes->size() + tail.size());
    if (head.has_crc()) {
        const std::uint32_t to_body =
            bolt::crc32_combine(bolt::crc32(begin), body.crc, body.bytes->size());
        bolt::append_crc(tail, bolt::crc32(tail, to_body));
    }
    push_bytes_.add(begin.size() + body.bytes->size() + tail.size());
    client.port->send(target.conn, std::move(begin), body.bytes, std::move(tail));
}

void NativeDoor::send_oneway(env::ConnId conn, std::string_view class_name,
                             std::string_view content) {
    if (const auto found = clients_.find(conn); found != clients_.end()) {
        std::string out;
        bolt::append_frame(
            out,
            {.head = oneway_head(found->second), .class_name = class_name, .content = content});
        found->second.port->send(conn, std::move(out));
    }
}

void NativeDoor::push_config(env::ConnId conn, const msg::ConfigPush& push) {
    config_pushes_.add();
    send_oneway(conn, native::kConfigPushClass, native::encode(push));
}

void NativeDoor::hint(env::ConnId conn, const msg::ServerHint& hint) {
    hints_.add();
    send_oneway(conn, native::kServerHintClass, native::encode(hint));
}

bool NativeDoor::congested(env::ConnId conn) const {
    const auto found = clients_.find(conn);
    return found != clients_.end() && found->second.port->congested(conn);
}

void NativeDoor::stop_reading(env::ConnId conn) {
    if (const auto found = clients_.find(conn); found != clients_.end()) {
        found->second.port->stop_reading(conn);
    }
}

void NativeDoor::go_on_reading(env::ConnId conn) {
    if (const auto found = clients_.find(conn); found != clients_.end()) {
        found->second.port->go_on_reading(conn);
    }
}

void NativeDoor::close(env::ConnId conn, const Error& why) {
    const auto found = clients_.find(conn);
    if (found == clients_.end()) {
        return;
    }
    bolt::FramePort& port = *found->second.port;
    clients_.erase(found);
    port.close(conn, why);
}

void NativeDoor::write_metrics(MetricsWriter& writer) const {
    writer.gauge("muster_native_connections", "Native clients connected.",
                 static_cast<std::int64_t>(clients_.size()));
    for (std::size_t i = 0; i < messages_.size(); ++i) {
        writer.counter("muster_native_messages_total", "Messages of native clients.",
                       messages_[i].value(), {{"message", kMessageNames[i]}});
    }
    for (std::size_t i = 0; i < kNativeBadFrames; ++i) {
        writer.counter("muster_native_bad_frames_total",
                       "Frames of native clients that became no message.", bad_frames_[i].value(),
                       {{"reason", to_string(static_cast<NativeBadFrame>(i))}});
    }
    const auto counter = [&](std::string_view name, std::string_view help, std::uint64_t value) {
        writer.counter(name, help, value);
    };
    counter("muster_native_publications_total", "Publications in register requests.",
            items_registered_.value());
    counter("muster_native_marks_total", "Drains and restores asked for.", marks_asked_.value());
    counter("muster_native_replies_total", "Requests answered.", replies_.value());
    counter("muster_native_pushes_full_total", "Whole lists sent.", pushes_full_.value());
    counter("muster_native_pushes_delta_total", "Deltas sent.", pushes_delta_.value());
    counter("muster_native_pushes_packed_total", "Of all these, those that were sent packed.",
            pushes_packed_.value());
    counter("muster_native_push_bytes_total", "Bytes of pushes sent.", push_bytes_.value());
    counter("muster_native_push_encodings_total", "Push bodies encoded.", bodies_.made());
    counter("muster_native_push_encodings_reused_total", "Push bodies used again.",
            bodies_.reused());
    counter("muster_native_push_packings_total", "Push bodies packed.", bodies_.packed());
    counter("muster_native_pushes_unfit_total", "Pushes a client could not use.",
            acks_refused_.value());
    counter("muster_native_config_pushes_total", "Configuration values sent.",
            config_pushes_.value());
    counter("muster_native_hints_total", "Server hints sent.", hints_.value());
}

}  // namespace muster::doors
