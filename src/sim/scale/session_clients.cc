#include "sim/scale/session_clients.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace muster::sim {
namespace {

constexpr Channel kClientChannel = 1000;
constexpr Duration kAckDelay = std::chrono::microseconds(200);

// Names of a usual length: ids are UUIDs of SOFA clients.
Service service_of(std::uint64_t service) {
    return {.data_id = fmt::format("com.example.bench.Service{}", service)};
}

RegistId id_of(std::uint64_t publication) {
    return RegistId(fmt::format("6fa459ea-ee8a-3ca4-894e-{:012}", publication));
}

}  // namespace

SessionClients::SessionClients(Node& node) : node_(node) {
    for (std::uint64_t i = 0; i < kConnections; ++i) {
        node_.session()->on_client_open(
            env::ConnId(1 + i), {.address = fmt::format("10.9.0.{}:40000", i), .door = "native"},
            *this);
    }
}

// A publication stays with its connection: an older one has no say once a newer one had it.
env::ConnId SessionClients::home_of(std::uint64_t publication) {
    return env::ConnId(1 + publication / kPerService % kConnections);
}

void SessionClients::publish(const std::vector<StateOf>& states) {
    std::map<env::ConnId, msg::RegisterPublishers> requests;
    for (const StateOf& given : states) {
        const std::uint64_t number = given.publication;
        auto made = std::make_shared<Publication>();
        made->id = id_of(number);
        made->service = interned(service_of(number / kPerService));
        made->order = {.version = given.state,
                       .timestamp_ms = node_.process().clock().wall().unix_ms};
        made->app = "bench";
        made->boxes = {fmt::format("10.1.{}.{}:12200?weight={}", number / 250 % 250, number % 250,
                                   given.state)};
        requests[home_of(number)].publications.push_back(std::move(made));
    }
    for (auto& [conn, request] : requests) {
        request.request = msg::RequestId(++requests_);
        node_.session()->on_client_message(conn, request);
    }
}

void SessionClients::subscribe(std::uint64_t service) {
    msg::Subscribe request{.request = msg::RequestId(++requests_)};
    request.items.push_back({.subscription = {.id = RegistId(fmt::format("subscriber-{}", service)),
                                              .service = interned(service_of(service)),
                                              .order = {.version = 1},
                                              .scope = Scope::data_center}});
    node_.session()->on_client_message(env::ConnId(1 + service % kConnections), request);
}

std::int64_t SessionClients::shown(std::uint64_t publication) const {
    const auto list = shown_.find(service_of(publication / kPerService));
    if (list == shown_.end()) {
        return 0;
    }
    const RegistId id = id_of(publication);
    const auto& publications = list->second->publications;
    const auto found = std::ranges::find(publications, id, [](const auto& one) { return one->id; });
    return found == publications.end() ? 0 : (*found)->order.version;
}

void SessionClients::push(const msg::PushOrder& order) {
    shown_[*order.view->service] = order.view;
    for (const msg::PushTarget& target : order.targets) {
        node_.process().post(kAckDelay, kClientChannel,
                             [this, conn = target.conn,
                              ack = msg::PushAck{.service = order.view->service,
                                                 .scope = order.scope,
                                                 .zone = order.zone,
                                                 .version = order.view->version}] {
                                 node_.session()->on_client_message(conn, ack);
                             });
    }
}

}  // namespace muster::sim
