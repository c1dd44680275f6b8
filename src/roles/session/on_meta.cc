#include "roles/session/session_impl.h"

namespace muster::session {

void SessionServer::Impl::beat_metas() {
    for (const NodeId& meta : options_.metas) {
        env_.outbox.send({meta, Role::meta},
                         msg::NodeHeartbeat{.member = {.node = options_.node,
                                                       .role = Role::session,
                                                       .address = options_.address,
                                                       .incarnation = options_.incarnation},
                                            .table_epoch = table_.epoch,
                                            .members_epoch = members_epoch_});
    }
}

void SessionServer::Impl::on(const msg::RoleAddress&, const msg::NodeHeartbeatReply& reply) {
    if (reply.incarnation != options_.incarnation) {
        return;  // meant for an earlier life
    }
    if (!greeted_) {
        greeted_ = true;
        if (!reply.known_before && roster_.awaited() == 0) {
            end_cold();
        }
    }
    if (reply.members && reply.members_epoch > members_epoch_) {
        members_ = *reply.members;
        members_epoch_ = reply.members_epoch;
    }
    if (reply.table && reply.table->epoch > table_.epoch) {
        adopt(*reply.table);
    }
}

// New leaders are told by digest what we own, and from which versions on we want to hear. What they
// lack of it they ask for; only what nobody acknowledged is said again unasked.
void SessionServer::Impl::adopt(const SlotTable& table) {
    std::set<SlotId> begun;
    for (std::size_t i = 0; i < table.slots.size(); ++i) {
        const Slot& next = table.slots[i];
        const bool known = i < table_.slots.size() && table_.slots[i].epoch == next.epoch &&
                           table_.slots[i].leader == next.leader;
        if (!known && next.leader != NodeId{}) {
            begun.insert(SlotId(static_cast<std::uint16_t>(i)));
        }
    }
    table_ = table;
    registrations_.set_slot_count(table_.slots.size());
    writes_.route(table_);
    for (const SlotId slot : begun) {
        writes_.restart(slot, [this](const RegistId& id) { return registrations_.state_of(id); });
    }
    digests_due_.insert(begun.begin(), begun.end());
    const auto moved = [&](const Service& service) {
        return begun.contains(slot_of(service, table_.slots.size()));
    };
    interests_.forget_if(moved);
    for (const auto& [name, copy] : copies_.all()) {
        if (moved(*copy.service)) {
            declare(slot_of_service(*copy.service)->leader, copy);
        }
    }
}

void SessionServer::Impl::ask_configs(const msg::ConfigInterest& interest) {
    if (interest.items.empty()) {
        return;
    }
    last_config_ask_ = env_.clock.mono();
    for (const NodeId& meta : options_.metas) {
        env_.outbox.send({meta, Role::meta}, interest);
    }
}

void SessionServer::Impl::on(const msg::RoleAddress&, const msg::ConfigValue& value) {
    const ConfigWatches::Key* key = configs_.take(value);
    if (key == nullptr) {
        return;
    }
    for (const auto& [conn, watchers] : key->watchers) {
        push_config(*key, conn, watchers);
    }
}

void SessionServer::Impl::push_config(const ConfigWatches::Key& key, env::ConnId conn,
                                      const std::set<RegistId>& watchers) {
    if (const auto client = clients_.find(conn); client != clients_.end()) {
        client->second.port->push_config(conn, {.key = key.service,
                                                .version = key.version,
                                                .value = key.value,
                                                .watchers = {watchers.begin(), watchers.end()}});
    }
}

void SessionServer::Impl::on(const msg::RoleAddress& from, const msg::PutTurnReply& reply) {
    queries_.on_reply(from.node, reply, env_.clock.mono(), env_.outbox);
}

void SessionServer::Impl::on(const msg::RoleAddress& from, const msg::ConfigPutReply& reply) {
    queries_.on_reply(from.node, reply);
}

}  // namespace muster::session
