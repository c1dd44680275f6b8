#include <algorithm>

#include "roles/session/session_impl.h"

namespace muster::session {
namespace {

std::string over(std::string_view what, std::size_t count, std::size_t limit) {
    return std::to_string(count) + " " + std::string(what) + ", at most " + std::to_string(limit);
}

}  // namespace

void SessionServer::Impl::on_client_open(env::ConnId conn, ClientInfo info, msg::ClientPort& port) {
    if (handover_.begun() && !other_servers().empty()) {
        port.close(conn, {Errc::unavailable, "this server is leaving"});
        return;
    }
    staying_ += port.keeps_connections() ? 1 : 0;
    clients_[conn] = Client{.info = std::move(info),
                            .port = &port,
                            .since = env_.clock.mono(),
                            .since_ms = env_.clock.wall().unix_ms};
    registrations_.open_connection(conn);
}

void SessionServer::Impl::on_client_message(env::ConnId conn, const msg::ClientMessage& message) {
    const auto client = clients_.find(conn);
    if (client == clients_.end()) {
        return;
    }
    notice_pause();
    if (room_.passes(conn, message)) {
        carry_out(conn, client->second, message);
    } else {
        keep_waiting(conn, message);
    }
    await_turn();
    flush();
}

void SessionServer::Impl::on_client_drained(env::ConnId conn) {
    const auto client = clients_.find(conn);
    if (client == clients_.end()) {
        return;
    }
    const MonoTime now = env_.clock.mono();
    std::map<std::string, ServicePtr> services;
    pusher_.lists().for_each(conn, [&](const Lists::Place& place) {
        services.try_emplace(place.of->service->data_info_id(), place.of->service);
    });
    for (const auto& [name, service] : services) {
        pusher_.offer(copies_.find_or_make(service), conn, now);
    }
    flush();
}

void SessionServer::Impl::on_client_closed(env::ConnId conn) {
    if (!clients_.contains(conn)) {
        return;
    }
    notice_pause();
    if (room_.closing_passes(conn)) {
        end_client(conn);
    }
    flush();
}

void SessionServer::Impl::end_client(env::ConnId conn) {
    const auto client = clients_.find(conn);
    for (const ServicePtr& service : pusher_.remove_all(conn)) {
        unwant(*service);
    }
    configs_.drop_connection(conn);
    // While we leave, who closes has gone elsewhere, or is on the way.
    if (const MonoTime now = env_.clock.mono();
        now < closings_forgiven_until_ || handover_.begun() || client->second.closed_by_us) {
        registrations_.release_connection(conn, options_.return_grace, now);
    } else if (const Duration journey = balancer_.journey(conn); journey > Duration{}) {
        registrations_.depart_connection(conn, journey, now);
    } else if (const std::size_t owned = registrations_.owned_by(conn);
               owned > 0 && !may_go(registrations_.owners(), now)) {
        note_suspects(owned);
        registrations_.suspect_connection(conn, options_.suspect_patience, now);
    } else {
        auto closed = registrations_.drop_connection(conn, now);
        probe_.closed_publications.add(closed.size());
        write_all(std::move(closed));
    }
    balancer_.forget(conn);
    staying_ -= client->second.port->keeps_connections() ? 1 : 0;
    clients_.erase(client);
}

std::size_t SessionServer::Impl::held_by(const Client& client, env::ConnId conn) const {
    return registrations_.owned_by(conn) + pusher_.lists().count_of(conn) + client.watches.size();
}

// Whose requests are counted together: a connection's, but over HTTP each request may have its own.
std::string SessionServer::Impl::limited_as(env::ConnId conn, const Client& client) {
    return client.info.door == "http" ? host_of(client.info.address) : std::to_string(conn.raw());
}

std::string SessionServer::Impl::host_of(const std::string& address) {
    return address.substr(0, address.rfind(':'));
}

Result<void> SessionServer::Impl::check(const Publication& publication, env::ConnId conn) const {
    MUSTER_TRY(check_id(publication.id));
    if (publication.boxes.size() > options_.boxes_per_publication_max) {
        return fail(Errc::too_large, over("boxes in a publication", publication.boxes.size(),
                                          options_.boxes_per_publication_max));
    }
    if (const std::size_t bytes = content_bytes(publication);
        bytes > options_.publication_bytes_max) {
        return fail(Errc::too_large,
                    over("bytes in a publication", bytes, options_.publication_bytes_max));
    }
    return check_room(conn, clients_.at(conn));
}

Result<void> SessionServer::Impl::check_id(const RegistId& id) {
    constexpr std::size_t kBytesMax = 256;
    if (id.raw().empty() || id.raw().size() > kBytesMax) {
        return fail(Errc::invalid_argument, "registration id is empty or longer than 256 bytes");
    }
    return {};
}

// For one more registration of any kind.
Result<void> SessionServer::Impl::check_room(env::ConnId conn, const Client& client) const {
    if (const std::size_t held = held_by(client, conn);
        held >= options_.registrations_per_connection_max) {
        return fail(Errc::over_limit, over("registrations on a connection", held + 1,
                                           options_.registrations_per_connection_max));
    }
    return {};
}

void SessionServer::Impl::on(env::ConnId conn, Client& client,
                             const msg::RegisterPublishers& request) {
    const MonoTime now = env_.clock.mono();
    msg::RequestReply reply{.request = request.request};
    std::vector<WriteQueue::Op> ops;
    for (const PublicationPtr& offered : request.publications) {
        auto& outcome = reply.outcomes.emplace_back(offered->id, offered->order.version);
        outcome.result = check(*offered, conn);
        if (!outcome.result) {
            probe_.refused.add();
            continue;
        }
        PublicationPtr publication = offered;
        const auto news = registrations_.news_of(*offered, conn);
        if (news != Registrations::News::none) {
            outcome.result =
                limits_.admit(news == Registrations::News::first ? ChangeLimits::Kind::first
                                                                 : ChangeLimits::Kind::change,
                              limited_as(conn, client), offered->service->tenant, now);
        }
        if (!outcome.result) {
            probe_.refused.add();
            registrations_.keep_lease(offered->id, now);
            continue;
        }
        if (publication->client_address.empty()) {
            auto addressed = std::make_shared<Publication>(*offered);
            addressed->client_address = client.info.address;
            publication = std::move(addressed);
        }
        auto op = registrations_.offer(publication, conn, request.lease, now);
        if (!op) {
            probe_.refused.add();
            outcome.result = std::unexpected(op.error());
            continue;
        }
        probe_.registrations.add();
        if (*op) {
            time_sending(client, *publication);
            ops.push_back(std::move(**op));
        }
    }
    answer_when_written(conn, std::move(reply), std::move(ops));
}

// Of what the client said on this connection: what it says again when it comes back may be old. The
// HTTP door's orders are of this process.
void SessionServer::Impl::time_sending(const Client& client, const Publication& publication) {
    const std::int64_t sent_ms = publication.order.timestamp_ms;
    if (client.info.door == "http" || sent_ms < client.since_ms ||
        sent_ms >= Trace::kEndUs / 1000) {
        return;
    }
    stages_.record(Stage::client_to_session,
                   std::chrono::microseconds(env_.clock.wall_us() - sent_ms * 1000),
                   *publication.service);
}

void SessionServer::Impl::on(env::ConnId conn, Client& client,
                             const msg::UnregisterPublishers& request) {
    const MonoTime now = env_.clock.mono();
    msg::RequestReply reply{.request = request.request};
    std::vector<WriteQueue::Op> ops;
    for (const auto& item : request.items) {
        auto& outcome = reply.outcomes.emplace_back(item.id, item.order.version);
        outcome.result = check_id(item.id);
        if (!outcome.result) {
            probe_.refused.add();
            continue;
        }
        probe_.unregistrations.add();
        if (auto op = registrations_.withdraw(item.id, item.service, item.order, now)) {
            limits_.left(limited_as(conn, client), item.service->tenant, now);
            ops.push_back(std::move(*op));
        }
    }
    answer_when_written(conn, std::move(reply), std::move(ops));
}

void SessionServer::Impl::answer_when_written(env::ConnId conn, msg::RequestReply reply,
                                              std::vector<WriteQueue::Op> ops) {
    if (ops.empty()) {
        reply_to(conn, reply);
        return;
    }
    const WaiterId waiter =
        pending_.open(conn, std::move(reply), ops.size(), env_.clock.mono() + options_.write_wait);
    for (auto& op : ops) {
        show_own(op);
        writes_.add(std::move(op), waiter, table().slots.size(), env_.clock.mono());
    }
}

void SessionServer::Impl::write_all(std::vector<WriteQueue::Op> ops) {
    for (auto& op : ops) {
        show_own(op);
        writes_.add(std::move(op), WaiterId{}, table().slots.size(), env_.clock.mono());
    }
}

void SessionServer::Impl::reply_to(env::ConnId conn, const msg::RequestReply& reply) {
    if (const auto client = clients_.find(conn); client != clients_.end()) {
        client->second.port->reply(conn, reply);
    }
}

}  // namespace muster::session
