#include <algorithm>

#include "roles/session/session_impl.h"

namespace muster::session {
namespace {

std::string over(std::string_view what, std::size_t count, std::size_t limit) {
    return std::to_string(count) + " " + std::string(what) + ", at most " + std::to_string(limit);
}

constexpr std::size_t kRegistIdBytesMax = 256;

Result<void> check_id(const RegistId& id) {
    if (id.raw().empty() || id.raw().size() > kRegistIdBytesMax) {
        return fail(Errc::invalid_argument, "registration id is empty or longer than 256 bytes");
    }
    return {};
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
    std::visit([&](const auto& known) { on(conn, client->second, known); }, message);
    flush();
}

void SessionServer::Impl::on_client_drained(env::ConnId conn) {
    const auto client = clients_.find(conn);
    if (client == clients_.end()) {
        return;
    }
    const MonoTime now = env_.clock.mono();
    std::set<Service> offered;
    for (const auto& [id, subscribed] : client->second.subscriptions) {
        if (offered.insert(*subscribed.service).second) {
            pusher_.offer(copies_.find_or_make(subscribed.service), conn, now);
        }
    }
    flush();
}

void SessionServer::Impl::on_client_closed(env::ConnId conn) {
    const auto client = clients_.find(conn);
    if (client == clients_.end()) {
        return;
    }
    notice_pause();
    for (const auto& [id, subscribed] : client->second.subscriptions) {
        end_subscription(subscribed, id);
    }
    subscription_count_ -= client->second.subscriptions.size();
    configs_.drop_connection(conn);
    // While we leave, who closes has gone elsewhere, or is on the way.
    if (const MonoTime now = env_.clock.mono();
        now < closings_forgiven_until_ || handover_.begun()) {
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
    flush();
}

std::size_t SessionServer::Impl::held_by(const Client& client, env::ConnId conn) const {
    return registrations_.owned_by(conn) + client.subscriptions.size() + client.watches.size();
}

// Whose changes are counted together: a connection's, but over HTTP each request may have its own.
std::string SessionServer::Impl::limited_as(env::ConnId conn, const Client& client) {
    return client.info.door == "http"
               ? client.info.address.substr(0, client.info.address.rfind(':'))
               : std::to_string(conn.raw());
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
    const Client& client = clients_.at(conn);
    if (held_by(client, conn) >= options_.registrations_per_connection_max) {
        return fail(Errc::over_limit,
                    over("registrations on a connection", held_by(client, conn) + 1,
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

// Whether what the client holds is known here.
bool SessionServer::Impl::want(const ServicePtr& service, Version held) {
    DatumCopy& copy = copies_.find_or_make(service);
    const bool asked = copy.wanted || copy.version.raw() != 0;
    copies_.want(copy);
    const bool known = DatumCopies::note_held(copy, held);
    if (asked && held <= copy.version && known) {
        return true;
    }
    // Not known here, or the client has seen something else: the leader goes above it (I2).
    if (const NodeId* node = server_of(*service); node != nullptr) {
        declare(*node, copy);
    }
    return known;
}

void SessionServer::Impl::unwant(const Service& service) {
    if (DatumCopy* copy = copies_.find(service); copy != nullptr) {
        copies_.unwant(*copy, env_.clock.mono());
    }
}

void SessionServer::Impl::end_subscription(const Subscribed& subscribed, const RegistId& id) {
    if (!pusher_.remove(*subscribed.service, subscribed.key, id)) {
        unwant(*subscribed.service);
    }
}

void SessionServer::Impl::on(env::ConnId conn, Client& client, const msg::Subscribe& request) {
    msg::RequestReply reply{.request = request.request};
    std::vector<ServicePtr> services;
    for (const auto& item : request.items) {
        const Subscription& wish = item.subscription;
        auto& outcome = reply.outcomes.emplace_back(wish.id, wish.order.version);
        outcome.result = check_id(wish.id);
        if (outcome.result && held_by(client, conn) >= options_.registrations_per_connection_max) {
            outcome.result = fail(Errc::over_limit,
                                  over("registrations on a connection", held_by(client, conn) + 1,
                                       options_.registrations_per_connection_max));
        }
        if (!outcome.result) {
            probe_.refused.add();
            continue;
        }
        const ListKey key{.conn = conn, .scope = wish.scope, .zone = wish.zone};
        const auto known = client.subscriptions.find(wish.id);
        if (known != client.subscriptions.end()) {
            if (wish.order < known->second.order) {
                continue;
            }
            if (*known->second.service != *wish.service || known->second.key != key) {
                end_subscription(known->second, wish.id);
            }
        } else {
            ++subscription_count_;
        }
        const ServicePtr service = copies_.find_or_make(wish.service).service;
        client.subscriptions[wish.id] = {service, key, wish.order};
        const bool stray = !want(service, item.held);
        pusher_.add(service, key, wish.id, {item.held, item.held_digest, stray}, wish.app);
        services.push_back(service);
    }
    reply_to(conn, reply);
    for (const ServicePtr& service : services) {
        pusher_.offer(copies_.find_or_make(service), conn, env_.clock.mono());
    }
}

void SessionServer::Impl::on(env::ConnId conn, Client& client, const msg::Unsubscribe& request) {
    msg::RequestReply reply{.request = request.request};
    for (const auto& item : request.items) {
        reply.outcomes.emplace_back(item.id, item.order.version);
        const auto known = client.subscriptions.find(item.id);
        if (known != client.subscriptions.end() && item.order >= known->second.order) {
            end_subscription(known->second, item.id);
            client.subscriptions.erase(known);
            --subscription_count_;
        }
    }
    reply_to(conn, reply);
}

void SessionServer::Impl::on(env::ConnId conn, Client& client, const msg::WatchConfig& request) {
    msg::RequestReply reply{.request = request.request};
    const Watch& watch = request.watch;
    auto& outcome = reply.outcomes.emplace_back(watch.id, watch.order.version);
    outcome.result = check_id(watch.id);
    if (outcome.result && held_by(client, conn) >= options_.registrations_per_connection_max) {
        outcome.result = fail(Errc::over_limit, "too many registrations on a connection");
    }
    if (!outcome.result) {
        probe_.refused.add();
        reply_to(conn, reply);
        return;
    }
    client.watches[watch.id] = watch.key;
    const ConfigWatches::Key& key = configs_.add(watch.key, conn, watch.id);
    reply_to(conn, reply);
    if (key.known) {
        push_config(key, conn, {watch.id});
    } else {
        ask_configs(configs_.unanswered());
    }
}

void SessionServer::Impl::on(env::ConnId conn, Client& client, const msg::UnwatchConfig& request) {
    msg::RequestReply reply{.request = request.request};
    const Watch& watch = request.watch;
    reply.outcomes.emplace_back(watch.id, watch.order.version);
    client.watches.erase(watch.id);
    configs_.remove(*watch.key, conn, watch.id);
    reply_to(conn, reply);
}

void SessionServer::Impl::on(env::ConnId conn, Client&, const msg::PushAck& ack) {
    const ListKey key{.conn = conn, .scope = ack.scope, .zone = ack.zone};
    const MonoTime now = env_.clock.mono();
    if (pusher_.acknowledge(*ack.service, key, ack.version, ack.ok, now)) {
        pusher_.offer(copies_.find_or_make(ack.service), conn, now);
    }
}

}  // namespace muster::session
