#include "sim/workloads/lease_client.h"

#include <algorithm>

#include <fmt/format.h>

namespace muster::sim {
namespace {

constexpr Channel kWorker = 4;
constexpr Duration kPatience = std::chrono::seconds(3);

}  // namespace

void LeaseClient::start() {
    process_.start();
    reconnect();
    process_.post(kRenewal, kWorker, [this] { renew(); });
}

void LeaseClient::reconnect() {
    up_ = false;
    heard_ = process_.clock().mono();
    (void)connect(*this, next_server(), "native");
}

void LeaseClient::renew() {
    const bool idle = up_ && registrations_.empty();
    if (idle) {
        world_.pipes.send_to_server(pipe_, Heartbeat{});
    }
    if (process_.clock().mono() - heard_ > kPatience) {
        world_.pipes.close_from_client(pipe_);
        reconnect();
    }
    for (auto& [id, registration] : registrations_) {
        send(id, registration);
    }
    process_.post(kRenewal, kWorker, [this] { renew(); });
}

RegistOrder LeaseClient::next_order(const Registration& registration) {
    return {registration.order.version + 1, process_.clock().wall().unix_ms};
}

RegistId LeaseClient::do_publish(const Service& service, const std::string& content) {
    const RegistId id(fmt::format("{}-p{}", name(), ++last_id_));
    Registration& registration = registrations_[id];
    registration = {.service = service, .content = content};
    registration.order = next_order(registration);
    send(id, registration);
    return id;
}

void LeaseClient::do_update(const RegistId& id, const std::string& content) {
    Registration& registration = registrations_.at(id);
    registration.content = content;
    registration.order = next_order(registration);
    send(id, registration);
}

void LeaseClient::do_withdraw(const RegistId& id) {
    Registration& registration = registrations_.at(id);
    registration.withdrawn = true;
    registration.order = next_order(registration);
    send(id, registration);
}

void LeaseClient::send(const RegistId& id, Registration& registration) {
    registration.done = false;
    if (!up_) {
        return;
    }
    registration.request = ++last_request_;
    const msg::RequestId request(registration.request);
    const auto service = std::make_shared<const Service>(registration.service);
    if (registration.withdrawn) {
        world_.pipes.send_to_server(
            pipe_, msg::ClientMessage(msg::UnregisterPublishers{
                       .request = request,
                       .items = {{.id = id, .service = service, .order = registration.order}}}));
        return;
    }
    auto publication = std::make_shared<Publication>();
    publication->id = id;
    publication->service = service;
    publication->order = registration.order;
    publication->zone = zone_;
    publication->boxes = {registration.content};
    world_.pipes.send_to_server(
        pipe_, msg::ClientMessage(msg::RegisterPublishers{
                   .request = request, .publications = {std::move(publication)}, .lease = kLease}));
}

void LeaseClient::on_up(PipeId pipe) {
    if (pipe != pipe_) {
        return;
    }
    up_ = true;
    heard_ = process_.clock().mono();
    for (auto& [id, registration] : registrations_) {
        send(id, registration);
    }
}

void LeaseClient::on_down(PipeId pipe) {
    if (pipe == pipe_) {
        up_ = false;  // renew() connects again
    }
}

void LeaseClient::on_message(PipeId pipe, const ToClient& message) {
    if (pipe != pipe_) {
        return;
    }
    heard_ = process_.clock().mono();
    const auto* reply = std::get_if<msg::RequestReply>(&message);
    if (reply == nullptr) {
        return;
    }
    for (const auto& outcome : reply->outcomes) {
        const auto known = registrations_.find(outcome.id);
        if (known == registrations_.end() || known->second.request != reply->request.raw() ||
            !outcome.result) {
            continue;
        }
        known->second.done = true;
        if (known->second.withdrawn) {
            registrations_.erase(known);
        }
    }
}

bool LeaseClient::settled() const {
    return up_ &&
           std::ranges::all_of(registrations_, [](const auto& item) { return item.second.done; });
}

}  // namespace muster::sim
