#include "roles/session/session_impl.h"

namespace muster::session {

void SessionServer::Impl::beat_metas() {
    view_.beat({.member = {.node = options_.node,
                           .role = Role::session,
                           .address = options_.address,
                           .incarnation = options_.incarnation,
                           .peer_address = options_.peer_address,
                           .zone = options_.zone,
                           .folder = options_.folder,
                           .phase = handover_.begun() ? MemberPhase::leaving : MemberPhase::live},
                .brakes = brake_lines(),
                .clients = staying_,
                .client_capacity = options_.client_capacity});
}

// Something newer may be there: it is not waited for.
void SessionServer::Impl::ask_metas() {
    if (view_.may_ask(env_.clock.mono())) {
        beat_metas();
    }
}

void SessionServer::Impl::on(const msg::RoleAddress& from, const msg::NodeHeartbeatReply& reply) {
    const auto news = view_.take(from.node, reply, env_.clock.mono());
    if (news.first && cold_ && !reply.known_before && roster_.awaited() == 0) {
        end_cold();
    }
    learn(news);
}

void SessionServer::Impl::on(const msg::RoleAddress&, const msg::NodeRefused& refused) {
    view_.take(refused, env_.clock.mono());
}

void SessionServer::Impl::on(const msg::RoleAddress& from, const msg::ViewRequest& request) {
    view_.answer(from, request);
}

void SessionServer::Impl::on(const msg::RoleAddress& from, const msg::ViewReply& told) {
    learn(view_.take(from.node, told, env_.clock.mono()));
}

void SessionServer::Impl::learn(const node::NodeView::News& news) {
    if (news.members) {
        balancer_.disturbed(env_.clock.mono());
    }
    if (news.members && env_.on_members) {
        env_.on_members(view_.members());
    }
    if (news.table) {
        adopt_table();
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
