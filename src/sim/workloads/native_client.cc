#include "sim/workloads/native_client.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"

namespace muster::sim {

NativeClient::NativeClient(ClientWorld world, Prng prng, std::string name, std::string zone)
    : SimClient(world, prng, name, zone),
      timers_(process_),
      role_({.servers = world.pipes.servers(), .id_prefix = name, .zone = zone},
            {.clock = process_.clock(),
             .timers = timers_,
             .link = *this,
             .observer = *this,
             .prng = Prng(prng_.next()),
             .log = {}}) {
    timers_.attach(role_);
}

void NativeClient::start() {
    process_.start();
    role_.start();
}

client::PublicationSpec NativeClient::spec(const Service& service,
                                           const std::string& content) const {
    return {.service = service, .boxes = {content}, .attributes = {}, .zone = {}, .app = {}};
}

RegistId NativeClient::do_publish(const Service& service, const std::string& content) {
    const auto id = role_.register_publication(spec(service, content));
    CHECK(id.has_value());
    return *id;
}

void NativeClient::do_update(const RegistId& id, const std::string& content) {
    CHECK(role_.update(id, spec(*role_.registration(id)->service, content)).has_value());
}

void NativeClient::do_withdraw(const RegistId& id) {
    CHECK(role_.unregister(id).has_value());
}

Listener* NativeClient::listener_of(const Service& service, Scope scope) {
    const auto found = std::ranges::find_if(listeners_, [&](const Listener& known) {
        return known.service == service && known.scope == scope;
    });
    return found == listeners_.end() ? nullptr : &*found;
}

void NativeClient::subscribe(const Service& service, Scope scope) {
    if (listener_of(service, scope) != nullptr) {
        return;
    }
    const std::string id = fmt::format("{}-{}", name(), to_string(scope));
    note(fmt::format("subscribes to {} as {}", service.data_id, id));
    const Listener listener{
        .client = name(), .id = id, .service = service, .scope = scope, .zone = zone_};
    listeners_.push_back(listener);
    world_.truth.subscribed(listener);
    CHECK(role_.subscribe({.service = service, .scope = scope, .zone = zone_}).has_value());
}

void NativeClient::unsubscribe(Listener listener) {
    note(fmt::format("unsubscribes {} of {}", listener.id, listener.service.data_id));
    std::erase(listeners_, listener);
    world_.truth.unsubscribed(listener);
    CHECK(role_.unsubscribe({.service = listener.service, .scope = listener.scope, .zone = zone_})
              .has_value());
}

void NativeClient::watch(const std::string& key) {
    note("watches " + key);
    watched_.push_back(key);
    world_.truth.watching(name(), key);
    CHECK(role_.watch_config({.data_id = key}).has_value());
}

void NativeClient::unwatch(const std::string& key) {
    const std::string gone = key;  // may be an element of what is erased from
    note("watches no longer " + gone);
    std::erase(watched_, gone);
    world_.truth.unwatched(name(), gone);
    CHECK(role_.unwatch_config({.data_id = gone}).has_value());
}

bool NativeClient::settled() const {
    const auto status = role_.status();
    return status.state == client::ClientState::connected && status.unacknowledged == 0;
}

// ---- the link

void NativeClient::connect(client::LinkId link, const std::string& server) {
    const PipeId pipe = SimClient::connect(*this, server, "native");
    pipes_[link] = pipe;
    links_[pipe] = link;
}

void NativeClient::send(client::LinkId link, msg::ClientMessage message) {
    world_.pipes.send_to_server(pipes_.at(link), std::move(message));
}

void NativeClient::send_heartbeat(client::LinkId link) {
    world_.pipes.send_to_server(pipes_.at(link), Heartbeat{});
}

void NativeClient::disconnect(client::LinkId link) {
    world_.pipes.close_from_client(pipes_.at(link));
}

void NativeClient::on_up(PipeId pipe) {
    serving_ = links_.at(pipe);
    role_.on_link_up(serving_);
}

void NativeClient::on_down(PipeId pipe) {
    role_.on_link_down(links_.at(pipe), {Errc::closed, "the server is gone"});
}

void NativeClient::on_message(PipeId pipe, const ToClient& message) {
    std::visit([&](const auto& known) { on(links_.at(pipe), known); }, message);
}

void NativeClient::on(client::LinkId link, const msg::RequestReply& reply) {
    role_.on_reply(link, reply);
}

void NativeClient::on(client::LinkId link, const msg::Push& push) {
    // The server that it has left, and that may speak until all is taken over, cannot know what it
    // holds now.
    if (const Listener* listener = listener_of(*push.view->service, push.scope);
        listener != nullptr && push.delta == nullptr && link == serving_) {
        world_.truth.pushed(*listener, shown_of(*push.view, server(pipes_.at(link))));
    }
    told_by_ = server(pipes_.at(link));
    role_.on_push(link, push);
}

void NativeClient::on(client::LinkId link, const msg::ConfigPush& push) {
    role_.on_config_push(link, push);
}

void NativeClient::on(client::LinkId link, const msg::ServerHint& hint) {
    role_.on_hint(link, hint);
}

void NativeClient::on(client::LinkId link, const HeartbeatAck&) {
    role_.on_heartbeat_ack(link);
}

// ---- what it is told

void NativeClient::on_list(const client::ListKey& key, const client::ListState& list) {
    if (const Listener* listener = listener_of(key.service, key.scope); listener != nullptr) {
        note(fmt::format("is shown {} at {}{}", key.service.data_id, list.view->version.raw(),
                         list.view->complete ? "" : ", incomplete"));
        world_.truth.shown(*listener, shown_of(*list.view, told_by_));
    }
}

void NativeClient::on_config(const Service& key, const client::ConfigState& config) {
    world_.truth.config_shown(name(), key.data_id, config.value ? *config.value : "");
}

void NativeClient::on_state(client::ClientState state, const std::string&) {
    note(fmt::format("is {}", to_string(state)));
}

void NativeClient::on_registered(const RegistId& id, std::int64_t version,
                                 const Result<void>& result) {
    note(fmt::format("hears of {} version {}: {}", id.raw(), version,
                     result ? "registered" : to_string(result.error())));
}

}  // namespace muster::sim
