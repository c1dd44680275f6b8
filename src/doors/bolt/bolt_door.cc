#include "doors/bolt/bolt_door.h"

#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"
#include "doors/bolt/sofa_answers.h"
#include "wire/bolt/frame_encoder.h"

namespace muster::doors {
namespace {

constexpr std::string_view kRegister = "REGISTER";
constexpr std::string_view kUnregister = "UNREGISTER";

msg::ClientMessage publisher_message(msg::RequestId request, const sofa::RegisterRequest& from,
                                     ServicePtr service, const std::string& address) {
    const RegistId id(from.regist_id);
    if (from.event_type == kUnregister) {
        return msg::UnregisterPublishers{
            .request = request,
            .items = {{.id = id, .service = std::move(service), .order = from.order}}};
    }
    auto publication = std::make_shared<Publication>(Publication{.id = id,
                                                                 .service = std::move(service),
                                                                 .order = from.order,
                                                                 .app = from.app,
                                                                 .client_address = address,
                                                                 .boxes = from.boxes,
                                                                 .attributes = from.attributes});
    if (!from.zone.empty()) {
        publication->zone = from.zone;
    }
    return msg::RegisterPublishers{.request = request, .publications = {std::move(publication)}};
}

msg::ClientMessage subscriber_message(msg::RequestId request, const sofa::RegisterRequest& from,
                                      ServicePtr service) {
    const RegistId id(from.regist_id);
    if (from.event_type == kUnregister) {
        return msg::Unsubscribe{
            .request = request,
            .items = {{.id = id, .service = std::move(service), .order = from.order}}};
    }
    Subscription subscription{.id = id,
                              .service = std::move(service),
                              .order = from.order,
                              .scope = parse_scope(from.scope),
                              .app = from.app};
    if (!from.zone.empty()) {
        subscription.zone = from.zone;
    }
    return msg::Subscribe{.request = request, .items = {{.subscription = std::move(subscription)}}};
}

msg::ClientMessage watcher_message(msg::RequestId request, const sofa::RegisterRequest& from,
                                   ServicePtr key) {
    Watch watch{.id = RegistId(from.regist_id), .key = std::move(key), .order = from.order};
    if (from.event_type == kUnregister) {
        return msg::UnwatchConfig{.request = request, .watch = std::move(watch)};
    }
    return msg::WatchConfig{.request = request, .watch = std::move(watch)};
}

}  // namespace

std::string_view to_string(BoltBadRequest bad) {
    switch (bad) {
        case BoltBadRequest::unknown_class: return "unknown_class";
        case BoltBadRequest::bad_content: return "bad_content";
        case BoltBadRequest::bad_name: return "bad_name";
        case BoltBadRequest::bad_event_type: return "bad_event_type";
        case BoltBadRequest::unknown_push_id: return "unknown_push_id";
    }
    return "unknown";
}

BoltDoor::BoltDoor(BoltDoorOptions options, session::ClientFace& session, Log log)
    : options_(options),
      session_(session),
      log_(log),
      encodings_(options.view_encodings_bytes_max) {}

std::string_view BoltDoor::name_of(Kind kind) {
    switch (kind) {
        case Kind::publisher: return "Publisher";
        case Kind::subscriber: return "Subscriber";
        case Kind::watcher: return "ConfiguratorRegister";
    }
    return "";
}

// request id 0-31 | protocol 32-39 | version 40-43 | type 44-47 | command version 48-55
// | switches 56-59 (bit 0 only) | kind 60-63
msg::RequestId BoltDoor::pack(const bolt::FrameHead& head, Kind kind) {
    const auto at = [](auto value, unsigned shift) {
        return static_cast<std::uint64_t>(value) << shift;
    };
    return msg::RequestId(at(static_cast<std::uint32_t>(head.request_id), 0) |
                          at(head.protocol, 32) | at(head.version, 40) | at(head.type, 44) |
                          at(head.command_version, 48) | at(head.switches & 1U, 56) | at(kind, 60));
}

bolt::FrameHead BoltDoor::unpack(msg::RequestId request, Kind& kind) {
    const auto bits = [&](unsigned shift, std::uint64_t mask) {
        return static_cast<std::uint8_t>(request.raw() >> shift & mask);
    };
    kind = static_cast<Kind>(bits(60, 0xf));
    return {.protocol = bits(32, 0xff),
            .version = bits(40, 0xf),
            .type = static_cast<bolt::FrameType>(bits(44, 0xf)),
            .command_version = bits(48, 0xff),
            .request_id = static_cast<std::int32_t>(static_cast<std::uint32_t>(request.raw())),
            .codec = bolt::kCodecHessian,
            .switches = bits(56, 0xf)};
}

// ---- from the port

void BoltDoor::on_open(env::ConnId conn, const env::SocketAddress& peer, bolt::FramePort& port) {
    const std::string address = env::to_string(peer);
    clients_[conn] = Client{.port = &port, .address = address};
    session_.on_client_open(conn, {.address = address, .door = "bolt"}, *this);
}

void BoltDoor::on_frame(env::ConnId conn, const bolt::Frame& frame) {
    const auto found = clients_.find(conn);
    if (found == clients_.end()) {
        return;
    }
    Client& client = found->second;
    if (!client.dialect) {
        client.dialect = frame.head;
    }
    if (frame.head.is_response()) {
        on_push_answer(conn, client, frame);
    } else {
        on_request(conn, client, frame);
    }
}

void BoltDoor::on_drained(env::ConnId conn) {
    if (clients_.contains(conn)) {
        session_.on_client_drained(conn);
    }
}

void BoltDoor::on_closed(env::ConnId conn) {
    if (clients_.erase(conn) > 0) {
        session_.on_client_closed(conn);
    }
}

void BoltDoor::on_request(env::ConnId conn, Client& client, const bolt::Frame& frame) {
    if (frame.class_name == sofa::kPublisherRegister) {
        on_register(conn, client, frame, Kind::publisher);
    } else if (frame.class_name == sofa::kSubscriberRegister) {
        on_register(conn, client, frame, Kind::subscriber);
    } else if (frame.class_name == sofa::kConfiguratorRegister) {
        on_register(conn, client, frame, Kind::watcher);
    } else if (frame.class_name == sofa::kSyncConfigRequest) {
        on_sync_config(conn, client, frame);
    } else {
        refuse(conn, client, frame.head, BoltBadRequest::unknown_class,
               bolt::Status::server_exception, frame.class_name);
    }
}

void BoltDoor::on_register(env::ConnId conn, Client& client, const bolt::Frame& frame, Kind kind) {
    requests_[static_cast<std::size_t>(kind)].add();
    const auto read = sofa::read_register(frame.content, options_.request_limits);
    if (!read) {
        refuse(conn, client, frame.head, BoltBadRequest::bad_content,
               bolt::Status::deserialization_failed, to_string(read.error()));
        return;
    }
    auto service = Service::make(read->tenant, read->group, read->data_id);
    if (!service) {
        refuse_register(conn, client, frame.head, BoltBadRequest::bad_name, service.error().detail);
        return;
    }
    if (read->regist_id.empty()) {
        refuse_register(conn, client, frame.head, BoltBadRequest::bad_name, "registId is empty");
        return;
    }
    if (read->event_type != kRegister && read->event_type != kUnregister) {
        refuse_register(conn, client, frame.head, BoltBadRequest::bad_event_type,
                        "eventType is neither REGISTER nor UNREGISTER");
        return;
    }
    const msg::RequestId request = pack(frame.head, kind);
    ServicePtr named = interned(*std::move(service));
    // The session may close the connection from within: `client` is not touched after this.
    switch (kind) {
        case Kind::publisher:
            session_.on_client_message(
                conn, publisher_message(request, *read, std::move(named), client.address));
            break;
        case Kind::subscriber:
            session_.on_client_message(conn, subscriber_message(request, *read, std::move(named)));
            break;
        case Kind::watcher:
            session_.on_client_message(conn, watcher_message(request, *read, std::move(named)));
            break;
    }
}

void BoltDoor::on_sync_config(env::ConnId conn, Client& client, const bolt::Frame& frame) {
    sync_configs_.add();
    if (const auto read = sofa::read_sync_config(frame.content, options_.request_limits); !read) {
        refuse(conn, client, frame.head, BoltBadRequest::bad_content,
               bolt::Status::deserialization_failed, to_string(read.error()));
        return;
    }
    answer(conn, client, frame.head, sofa::kSyncConfigResponse,
           sofa::sync_config_response(session_.center()));
}

// A status of success is a delivery, as for Java servers, unless the client says that it failed.
bool BoltDoor::delivered(const bolt::Frame& frame) {
    if (frame.head.status != bolt::Status::success) {
        return false;
    }
    if (frame.content.empty()) {
        return true;
    }
    const auto success = sofa::read_push_result(frame.content, options_.request_limits);
    if (!success) {
        count(BoltBadRequest::bad_content);
        return true;
    }
    return *success;
}

void BoltDoor::on_push_answer(env::ConnId conn, Client& client, const bolt::Frame& frame) {
    auto push = client.unanswered.take(frame.head.request_id);
    if (!push) {
        count(BoltBadRequest::unknown_push_id);
        return;
    }
    const bool ok = delivered(frame);
    (ok ? push_answers_ok_ : push_answers_failed_).add();
    if (!ok) {
        log_.info("bolt.push.failed", {{"peer", client.address},
                                       {"service", push->service->path()},
                                       {"status", static_cast<int>(frame.head.status)}});
    }
    if (!push->is_config) {
        session_.on_client_message(conn, msg::PushAck{.service = std::move(push->service),
                                                      .scope = push->scope,
                                                      .zone = std::move(push->zone),
                                                      .version = push->version,
                                                      .ok = ok});
    }
}

// ---- answers

void BoltDoor::refuse(env::ConnId conn, Client& client, const bolt::FrameHead& head,
                      BoltBadRequest bad, bolt::Status status, std::string_view why) {
    count(bad);
    log_.info("bolt.request.refused",
              {{"peer", client.address}, {"reason", to_string(bad)}, {"detail", why}});
    if (head.type == bolt::FrameType::request) {
        std::string frame;
        bolt::append_bare_response(frame, head, status);
        client.port->send(conn, std::move(frame));
    }
}

void BoltDoor::refuse_register(env::ConnId conn, Client& client, const bolt::FrameHead& head,
                               BoltBadRequest bad, std::string_view why) {
    count(bad);
    log_.info("bolt.request.refused",
              {{"peer", client.address}, {"reason", to_string(bad)}, {"detail", why}});
    answer(conn, client, head, sofa::kRegisterResponse,
           sofa::register_response({.success = false, .message = why}));
}

void BoltDoor::answer(env::ConnId conn, Client& client, const bolt::FrameHead& request,
                      std::string_view class_name, std::string_view content) {
    if (request.type != bolt::FrameType::request) {
        return;
    }
    std::string frame;
    bolt::append_frame(frame, {.head = bolt::response_to(request, bolt::Status::success),
                               .class_name = class_name,
                               .content = content});
    client.port->send(conn, std::move(frame));
}

void BoltDoor::reply(env::ConnId conn, const msg::RequestReply& reply) {
    const auto found = clients_.find(conn);
    if (found == clients_.end()) {
        return;
    }
    CHECK_BECAUSE(reply.outcomes.size() == 1, "every request of this door has one item");
    Kind kind{};
    const bolt::FrameHead request = unpack(reply.request, kind);
    const auto& outcome = reply.outcomes.front();
    const bool success = outcome.result.has_value();
    const std::string message = success ? std::string(name_of(kind)) + " register success!"
                                        : to_string(outcome.result.error());
    answer(conn, found->second, request, sofa::kRegisterResponse,
           sofa::register_response({.success = success,
                                    .regist_id = outcome.id.raw(),
                                    .version = outcome.version,
                                    .message = message}));
}

// ---- pushes

bolt::FrameHead BoltDoor::push_head(Client& client) {
    bolt::FrameHead head = client.dialect.value_or(bolt::FrameHead{});
    head.type = bolt::FrameType::request;
    head.command = bolt::Command::request;
    head.request_id = static_cast<std::int32_t>(++client.last_push_id);
    head.timeout_ms = options_.push_timeout_ms;
    head.status = bolt::Status::success;
    return head;
}

void BoltDoor::push(const msg::PushOrder& order) {
    CHECK_BECAUSE(order.view->complete, "Java clients would remove what an incomplete view lacks");
    const EncodedView encoded =
        encodings_.encode(order.view, order.scope, order.zone, session_.center());
    for (const msg::PushTarget& target : order.targets) {
        if (const auto found = clients_.find(target.conn); found != clients_.end()) {
            push_to(target, found->second, order, encoded);
        }
    }
}

void BoltDoor::push_to(const msg::PushTarget& target, Client& client, const msg::PushOrder& order,
                       const EncodedView& encoded) {
    const bolt::FrameHead head = push_head(client);
    std::string tail = sofa::received_data_tail(target.subscribers);
    std::string begin;
    bolt::append_frame_head(begin, head, sofa::kReceivedData, encoded.body->size() + tail.size());
    if (head.has_crc()) {
        const std::uint32_t to_body =
            bolt::crc32_combine(bolt::crc32(begin), encoded.crc, encoded.body->size());
        bolt::append_crc(tail, bolt::crc32(tail, to_body));
    }
    client.unanswered.add(head.request_id, {.service = order.view->service,
                                            .scope = order.scope,
                                            .zone = order.zone,
                                            .version = order.view->version});
    pushes_.add();
    client.port->send(target.conn, std::move(begin), encoded.body, std::move(tail));
}

void BoltDoor::push_config(env::ConnId conn, const msg::ConfigPush& push) {
    const auto found = clients_.find(conn);
    if (found == clients_.end()) {
        return;
    }
    Client& client = found->second;
    const bolt::FrameHead head = push_head(client);
    std::string frame;
    bolt::append_frame(frame, {.head = head,
                               .class_name = sofa::kReceivedConfigData,
                               .content = sofa::received_config_data(push)});
    client.unanswered.add(head.request_id,
                          {.service = push.key, .version = push.version, .is_config = true});
    config_pushes_.add();
    client.port->send(conn, std::move(frame));
}

void BoltDoor::hint(env::ConnId /*conn*/, const msg::ServerHint& /*hint*/) {}

bool BoltDoor::congested(env::ConnId conn) const {
    const auto found = clients_.find(conn);
    return found != clients_.end() && found->second.port->congested(conn);
}

void BoltDoor::stop_reading(env::ConnId conn) {
    if (const auto found = clients_.find(conn); found != clients_.end()) {
        found->second.port->stop_reading(conn);
    }
}

void BoltDoor::go_on_reading(env::ConnId conn) {
    if (const auto found = clients_.find(conn); found != clients_.end()) {
        found->second.port->go_on_reading(conn);
    }
}

void BoltDoor::close(env::ConnId conn, const Error& why) {
    const auto found = clients_.find(conn);
    if (found == clients_.end()) {
        return;
    }
    bolt::FramePort& port = *found->second.port;
    clients_.erase(found);
    port.close(conn, why);
}

void BoltDoor::write_metrics(MetricsWriter& writer) const {
    constexpr std::array<std::string_view, 3> kKinds{"publisher", "subscriber", "watcher"};
    for (std::size_t i = 0; i < kKinds.size(); ++i) {
        writer.counter("muster_bolt_requests_total", "Registering and leaving requests, by kind.",
                       requests_[i].value(), {{"kind", kKinds[i]}});
    }
    for (std::size_t i = 0; i < kBoltBadRequests; ++i) {
        writer.counter("muster_bolt_bad_requests_total",
                       "Requests refused by the bolt door itself, by reason.",
                       bad_requests_[i].value(),
                       {{"reason", to_string(static_cast<BoltBadRequest>(i))}});
    }
    writer.gauge("muster_bolt_clients", "Connections that speak Hessian.",
                 static_cast<std::int64_t>(clients_.size()));
    writer.counter("muster_bolt_sync_configs_total", "Sync-config requests.",
                   sync_configs_.value());
    writer.counter("muster_bolt_pushes_total", "Lists pushed.", pushes_.value());
    writer.counter("muster_bolt_config_pushes_total", "Configuration values pushed.",
                   config_pushes_.value());
    writer.counter("muster_bolt_views_encoded_total", "Lists encoded.", encodings_.made());
    writer.counter("muster_bolt_views_reused_total", "Lists pushed from an earlier encoding.",
                   encodings_.reused());
    writer.counter("muster_bolt_push_answers_total", "Answers to pushes.", push_answers_ok_.value(),
                   {{"outcome", "ok"}});
    writer.counter("muster_bolt_push_answers_total", "Answers to pushes.",
                   push_answers_failed_.value(), {{"outcome", "failed"}});
}

}  // namespace muster::doors
