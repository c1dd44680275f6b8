#include "doors/http/door_fixture.h"

#include <array>
#include <charconv>
#include <string_view>
#include <vector>

namespace muster::http {

template <typename Call>
void FakeSession::call(Call port_call) {
    calling_ = true;
    port_call();
    calling_ = false;
}

void FakeSession::on_client_open(env::ConnId conn, session::ClientInfo info,
                                 msg::ClientPort& port) {
    EXPECT_FALSE(calling_);
    EXPECT_FALSE(clients.contains(conn));
    clients[conn] = std::move(info);
    port_ = &port;
}

void FakeSession::on_client_message(env::ConnId conn, const msg::ClientMessage& message) {
    EXPECT_FALSE(calling_);
    EXPECT_TRUE(clients.contains(conn));
    messages.push_back(message);
    if (const auto* subscribe = std::get_if<msg::Subscribe>(&message)) {
        for (const auto& item : subscribe->items) {
            subscriptions_[{conn, item.subscription.id}] = item.subscription;
            reply(conn, subscribe->request, {item.subscription.id});
            const auto view = views_.find(item.subscription.service->path());
            if (view != views_.end()) {
                push(conn, item.subscription, view->second);
            }
        }
    } else if (const auto* unsubscribe = std::get_if<msg::Unsubscribe>(&message)) {
        for (const auto& item : unsubscribe->items) {
            EXPECT_EQ(subscriptions_.erase({conn, item.id}), 1U);
            reply(conn, unsubscribe->request, {item.id});
        }
    } else if (const auto* registers = std::get_if<msg::RegisterPublishers>(&message)) {
        reply(conn, registers->request, {registers->publications.at(0)->id});
    } else if (const auto* unregisters = std::get_if<msg::UnregisterPublishers>(&message)) {
        reply(conn, unregisters->request, {unregisters->items.at(0).id});
    } else if (const auto* watch = std::get_if<msg::WatchConfig>(&message)) {
        reply(conn, watch->request, {watch->watch.id});
        if (answers) {
            const auto at = config.find(watch->watch.key->path());
            const auto value =
                at == config.end() ? nullptr : std::make_shared<const std::string>(at->second);
            call([&] {
                port_->push_config(conn, {.key = watch->watch.key,
                                          .version = Version(5),
                                          .value = value,
                                          .watchers = {watch->watch.id}});
            });
        }
    }
}

void FakeSession::on_client_drained(env::ConnId conn) {
    EXPECT_FALSE(calling_);
    drained.push_back(conn);
}

void FakeSession::on_client_closed(env::ConnId conn) {
    EXPECT_FALSE(calling_);
    EXPECT_EQ(clients.erase(conn), 1U);
    std::erase_if(subscriptions_, [&](const auto& entry) { return entry.first.first == conn; });
}

std::vector<session::SubscriberInfo> FakeSession::subscribers_of(const Service& service) const {
    if (service.data_id != "orders") {
        return {};
    }
    return {{.id = RegistId("s1"),
             .client_address = "10.0.0.9:1",
             .door = "bolt",
             .app = "shop",
             .scope = Scope::zone,
             .zone = "A",
             .acknowledged = Version(4)}};
}

void FakeSession::query_services(std::uint64_t token, const msg::ListServices& query,
                                 session::QueryPort& port) {
    EXPECT_FALSE(calling_);
    queries.push_back(query);
    if (!answers) {
        return;
    }
    msg::ListServicesReply reply{.query = query.query, .more = true, .settled = true};
    reply.services.push_back(
        {.data_info_id = "a/b#@#t#@#g", .publications = 2, .version = Version(9)});
    call([&] { port.on_services(token, reply); });
}

void FakeSession::put_config(std::uint64_t token, const Service& key,
                             std::optional<std::string> value, session::QueryPort& port) {
    EXPECT_FALSE(calling_);
    if (!answers) {
        return;
    }
    if (value) {
        config[key.path()] = *value;
    } else {
        config.erase(key.path());
    }
    call([&] {
        port.on_config_put(
            token, outcome ? Result<Version>(Version(6)) : std::unexpected(outcome.error()));
    });
}

void FakeSession::reply(env::ConnId conn, msg::RequestId request, std::vector<RegistId> ids) {
    if (!answers) {
        return;
    }
    msg::RequestReply answer{.request = request};
    for (auto& id : ids) {
        answer.outcomes.push_back({.id = std::move(id), .result = outcome});
    }
    call([&] { port_->reply(conn, answer); });
}

void FakeSession::push(env::ConnId conn, const Subscription& subscription,
                       const ServiceViewPtr& view) {
    const std::array<std::string_view, 1> ids{subscription.id.raw()};
    const std::vector<msg::PushTarget> targets{{.conn = conn, .subscribers = ids}};
    call([&] {
        port_->push({.view = view,
                     .scope = subscription.scope,
                     .zone = subscription.zone,
                     .targets = targets});
    });
}

void FakeSession::show(ServiceViewPtr view) {
    views_[view->service->path()] = view;
    const auto subscriptions = subscriptions_;
    for (const auto& [key, subscription] : subscriptions) {
        if (*subscription.service == *view->service) {
            push(key.first, subscription, view);
        }
    }
}

env::ConnId DoorTest::connect() {
    const env::ConnId conn(++last_conn);
    door->on_accepted(conn,
                      {.ip = "10.1.1.1", .port = static_cast<std::uint16_t>(4000 + last_conn)});
    return conn;
}

Reply DoorTest::take_answer(env::ConnId conn) {
    const std::string bytes = take(conn);
    const auto end = bytes.find("\r\n\r\n");
    if (end == std::string::npos) {
        return {};
    }
    Reply answer{.head = bytes.substr(0, end + 2), .body = bytes.substr(end + 4)};
    const std::string_view status = std::string_view(bytes).substr(9, 3);
    std::from_chars(status.begin(), status.end(), answer.status);
    return answer;
}

Reply DoorTest::ask(std::string_view method, std::string_view target, std::string_view body) {
    const env::ConnId conn = connect();
    send(conn, request(method, target, body));
    Reply answer = take_answer(conn);
    if (!net.peers[conn].closed) {
        door->on_closed(conn, {Errc::closed, "test"});
    }
    return answer;
}

std::string DoorTest::request(std::string_view method, std::string_view target,
                              std::string_view body, std::string_view headers) {
    std::string bytes;
    bytes.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: x\r\n");
    bytes.append(headers);
    if (!body.empty()) {
        bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    }
    bytes.append("\r\n").append(body);
    return bytes;
}

std::string DoorTest::metrics() {
    return ask("GET", "/metrics").body;
}

std::string orders_path(std::string_view rest) {
    std::string path = "/api/v1/services/DEFAULT_INSTANCE_ID/DEFAULT_GROUP/orders";
    return path.append(rest);
}

ServiceViewPtr orders(std::uint64_t version, std::vector<std::string> boxes, bool complete) {
    auto view = std::make_shared<ServiceView>();
    view->service = std::make_shared<const Service>(*parse_service_path("orders"));
    view->version = Version(version);
    view->complete = complete;
    for (std::size_t i = 0; i < boxes.size(); ++i) {
        auto publication = std::make_shared<Publication>();
        publication->id = RegistId("p" + std::to_string(i + 1));
        publication->service = view->service;
        publication->app = "shop";
        publication->client_address = "10.0.0.8:77";
        publication->boxes = {boxes[i]};
        view->publications.push_back(publication);
    }
    return view;
}

}  // namespace muster::http
