// What clients want to be told: subscriptions, watches, and their acknowledgements.
#include "roles/session/session_impl.h"

namespace muster::session {

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

// Whether a client may hold what it says. What no node can have given it keeps to itself: others
// would be told versions above that, which no leader could follow (I2).
bool SessionServer::Impl::believes(const Client& client, const msg::Subscribe::Item& item) {
    if (store::VersionClock::believable(item.held, view_.ceiling(), env_.clock.wall())) {
        return true;
    }
    probe_.versions_disbelieved.add();
    env_.log.info("session.version.disbelieved", {{"client", client.info.address},
                                                  {"service", item.subscription.service->path()},
                                                  {"held", item.held.raw()},
                                                  {"ceiling", view_.ceiling().raw()}});
    return false;
}

void SessionServer::Impl::unwant(const Service& service) {
    if (DatumCopy* copy = copies_.find(service); copy != nullptr) {
        copies_.unwant(*copy, env_.clock.mono());
    }
}

void SessionServer::Impl::end_subscription(env::ConnId conn, const RegistId& id) {
    if (const ServicePtr service = pusher_.remove(conn, id)) {
        unwant(*service);
    }
}

Result<void> SessionServer::Impl::check(env::ConnId conn, const Client& client,
                                        const msg::Subscribe::Item& item, bool once) {
    const Subscription& wish = item.subscription;
    MUSTER_TRY(check_id(wish.id));
    const auto known = pusher_.lists().find(conn, wish.id.raw());
    if (known && (wish.order < known->order || (*known->place.of->service == *wish.service &&
                                                known->place.key().scope == wish.scope &&
                                                known->place.key().zone == wish.zone))) {
        return {};  // the same again, or overtaken
    }
    MUSTER_TRY(check_room(conn, client));
    if (once) {
        return {};
    }
    const bool returns = item.held.raw() != 0;
    return subscribe_limits_.admit(limited_as(conn, client),
                                   returns ? std::string() : wish.service->tenant,
                                   env_.clock.mono());
}

void SessionServer::Impl::on(env::ConnId conn, Client& client, const msg::Subscribe& request) {
    msg::RequestReply reply{.request = request.request};
    std::vector<ServicePtr> services;
    for (const auto& item : request.items) {
        const Subscription& wish = item.subscription;
        auto& outcome = reply.outcomes.emplace_back(wish.id, wish.order.version);
        outcome.result = check(conn, client, item, request.once);
        if (!outcome.result) {
            probe_.refused.add();
            continue;
        }
        const ListKey key{.conn = conn, .scope = wish.scope, .zone = wish.zone};
        if (const auto known = pusher_.lists().find(conn, wish.id.raw())) {
            if (wish.order < known->order) {
                continue;
            }
            if (*known->place.of->service != *wish.service || known->place.key() != key) {
                end_subscription(conn, wish.id);
            }
        }
        const ServicePtr service = copies_.find_or_make(wish.service).service;
        client.app = wish.app;
        const bool known = want(service, believes(client, item) ? item.held : Version{});
        probe_.versions_doubted.add(known ? 0 : 1);
        pusher_.add(service, key, wish.id, wish.order,
                    {.version = item.held, .digest = item.held_digest, .stray = !known});
        services.push_back(service);
    }
    reply_to(conn, reply);
    for (const ServicePtr& service : services) {
        pusher_.offer(copies_.find_or_make(service), conn, env_.clock.mono());
    }
}

void SessionServer::Impl::on(env::ConnId conn, Client&, const msg::Unsubscribe& request) {
    msg::RequestReply reply{.request = request.request};
    for (const auto& item : request.items) {
        reply.outcomes.emplace_back(item.id, item.order.version);
        const auto known = pusher_.lists().find(conn, item.id.raw());
        if (known && item.order >= known->order) {
            end_subscription(conn, item.id);
        }
    }
    reply_to(conn, reply);
}

Result<void> SessionServer::Impl::check(env::ConnId conn, const Client& client, const Watch& watch,
                                        bool once) {
    MUSTER_TRY(check_id(watch.id));
    const auto known = client.watches.find(watch.id);
    if (known != client.watches.end() && *known->second == *watch.key) {
        return {};
    }
    MUSTER_TRY(check_room(conn, client));
    return once ? Result<void>()
                : subscribe_limits_.admit(limited_as(conn, client), watch.key->tenant,
                                          env_.clock.mono());
}

void SessionServer::Impl::on(env::ConnId conn, Client& client, const msg::WatchConfig& request) {
    msg::RequestReply reply{.request = request.request};
    const Watch& watch = request.watch;
    auto& outcome = reply.outcomes.emplace_back(watch.id, watch.order.version);
    outcome.result = check(conn, client, watch, request.once);
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
