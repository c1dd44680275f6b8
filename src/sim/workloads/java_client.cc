#include "sim/workloads/java_client.h"

#include <algorithm>

#include <fmt/format.h>

namespace muster::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Channel kWorker = 4;
constexpr Duration kRecheck = milliseconds(500);
constexpr Duration kHeartbeat = seconds(5);
constexpr Duration kSilence = seconds(16);
constexpr Duration kConnectTimeout = seconds(3);

}  // namespace

void JavaClient::start() {
    process_.start();
    begin_connect();
    process_.post(kRecheck, kWorker, [this] { work(); });
}

std::string JavaClient::new_id(char kind) {
    return fmt::format("{}-{}{}", name(), kind, ++last_id_);
}

void JavaClient::begin_connect() {
    const std::uint64_t attempt = ++attempt_;
    const PipeId pipe = connect(*this, next_server(), "bolt");
    process_.post(kConnectTimeout, kWorker, [this, attempt, pipe] {
        if (!up_ && attempt == attempt_) {
            world_.pipes.close_from_client(pipe);
            reconnect();
        }
    });
}

void JavaClient::reconnect() {
    const bool round_over = up_ || !more_to_try();
    up_ = false;
    ++attempt_;
    const bool slow = round_over && prng_.chance(1, 5);
    const Duration pause =
        slow ? milliseconds(prng_.between(5'000, 9'500)) : milliseconds(prng_.between(20, 500));
    process_.post(pause, kWorker, [this, attempt = attempt_] {
        if (attempt == attempt_) {
            begin_connect();
        }
    });
}

void JavaClient::on_up(PipeId pipe) {
    if (pipe != pipe_) {
        return;
    }
    up_ = true;
    heard_ = said_ = process_.clock().mono();
    read_server_list();
    for (auto& [id, registration] : registrations_) {
        registration.done = false;
        send(id, registration);
    }
}

void JavaClient::on_down(PipeId pipe) {
    if (pipe == pipe_) {
        reconnect();
    }
}

void JavaClient::work() {
    const MonoTime now = process_.clock().mono();
    if (up_) {
        for (auto& [id, registration] : registrations_) {
            if (!registration.done) {
                send(id, registration);
            }
        }
        if (now - said_ >= kHeartbeat) {
            said_ = now;
            world_.pipes.send_to_server(pipe_, Heartbeat{});
            read_server_list();
        }
        if (now - heard_ >= kSilence) {
            note("gives up its silent server");
            world_.pipes.close_from_client(pipe_);
            reconnect();
        }
    }
    process_.post(kRecheck, kWorker, [this] { work(); });
}

RegistId JavaClient::do_publish(const Service& service, const std::string& content) {
    const std::string id = new_id('p');
    Registration& registration = registrations_[id];
    registration = {.service = service, .content = content};
    send(id, registration);
    return RegistId(id);
}

void JavaClient::do_update(const RegistId& id, const std::string& content) {
    Registration& registration = registrations_.at(id.raw());
    registration.content = content;
    ++registration.version;
    registration.done = false;
    send(id.raw(), registration);
}

void JavaClient::do_withdraw(const RegistId& id) {
    Registration& registration = registrations_.at(id.raw());
    registration.task = Task::removal;
    ++registration.version;
    registration.done = false;
    send(id.raw(), registration);
}

void JavaClient::subscribe(const Service& service, Scope scope) {
    const std::string id = new_id('s');
    note(fmt::format("subscribes to {} as {}", service.data_id, id));
    Registration& registration = registrations_[id];
    registration = {.task = Task::subscription, .service = service, .scope = scope};
    const Listener listener{.client = name(),
                            .id = id,
                            .service = service,
                            .scope = scope,
                            .zone = zone_,
                            .tells_held = false};
    listeners_.push_back(listener);
    world_.truth.subscribed(listener);
    send(id, registration);
}

void JavaClient::unsubscribe(Listener listener) {
    note("unsubscribes " + listener.id);
    Registration& registration = registrations_.at(listener.id);
    registration.task = Task::unsubscription;
    ++registration.version;
    registration.done = false;
    world_.truth.unsubscribed(listener);
    send(listener.id, registration);
    std::erase(listeners_, listener);
}

void JavaClient::watch(const std::string& key) {
    const std::string id = new_id('w');
    note(fmt::format("watches {} as {}", key, id));
    watched_.push_back(key);
    world_.truth.watching(name(), key);
    Registration& registration = registrations_[id];
    registration = {.task = Task::watch, .service = {.data_id = key}};
    send(id, registration);
}

void JavaClient::unwatch(const std::string&) {}  // this client has no such call

void JavaClient::send(const std::string& id, Registration& registration) {
    if (!up_) {
        return;
    }
    said_ = process_.clock().mono();
    registration.request = ++last_request_;
    const msg::RequestId request(registration.request);
    const auto service = std::make_shared<const Service>(registration.service);
    const RegistOrder order{registration.version, process_.clock().wall().unix_ms};
    msg::ClientMessage message;
    switch (registration.task) {
        case Task::publication: {
            auto publication = std::make_shared<Publication>();
            publication->id = RegistId(id);
            publication->service = service;
            publication->order = order;
            publication->zone = zone_;
            publication->boxes = {registration.content};
            message = msg::RegisterPublishers{.request = request, .publications = {publication}};
            break;
        }
        case Task::removal:
            message = msg::UnregisterPublishers{
                .request = request,
                .items = {{.id = RegistId(id), .service = service, .order = order}}};
            break;
        case Task::subscription:
            message = msg::Subscribe{.request = request,
                                     .items = {{.subscription = {.id = RegistId(id),
                                                                 .service = service,
                                                                 .order = order,
                                                                 .scope = registration.scope,
                                                                 .zone = zone_}}}};
            break;
        case Task::unsubscription:
            message = msg::Unsubscribe{
                .request = request,
                .items = {{.id = RegistId(id), .service = service, .order = order}}};
            break;
        case Task::watch:
            message = msg::WatchConfig{
                .request = request, .watch = {.id = RegistId(id), .key = service, .order = order}};
            break;
    }
    world_.pipes.send_to_server(pipe_, std::move(message));
}

void JavaClient::on_message(PipeId pipe, const ToClient& message) {
    if (pipe != pipe_) {
        return;
    }
    heard_ = process_.clock().mono();
    std::visit([this](const auto& known) { on(known); }, message);
}

void JavaClient::on(const msg::RequestReply& reply) {
    for (const auto& outcome : reply.outcomes) {
        const auto known = registrations_.find(outcome.id.raw());
        if (known == registrations_.end() || known->second.request != reply.request.raw() ||
            !outcome.result) {
            continue;
        }
        known->second.done = true;
        if (known->second.task == Task::removal || known->second.task == Task::unsubscription) {
            registrations_.erase(known);
        }
    }
}

void JavaClient::on(const msg::Push& push) {
    for (const RegistId& id : push.subscribers) {
        const auto listener = std::ranges::find(listeners_, id.raw(), &Listener::id);
        if (listener == listeners_.end()) {
            continue;
        }
        const Shown shown = shown_of(*push.view, server(pipe_));
        world_.truth.pushed(*listener, shown);
        const auto [version, first] = versions_.try_emplace(id.raw(), push.view->version);
        if (first || push.view->version > version->second) {
            version->second = push.view->version;
            world_.truth.shown(*listener, shown);
        }
    }
    said_ = process_.clock().mono();
    world_.pipes.send_to_server(pipe_,
                                msg::ClientMessage(msg::PushAck{.service = push.view->service,
                                                                .scope = push.scope,
                                                                .zone = push.zone,
                                                                .version = push.view->version}));
}

void JavaClient::on(const msg::ConfigPush& push) {
    const auto [version, first] = config_versions_.try_emplace(push.key->data_id, push.version);
    if (first || push.version > version->second) {
        version->second = push.version;
        world_.truth.config_shown(name(), push.key->data_id, push.value ? *push.value : "");
    }
}

bool JavaClient::settled() const {
    return up_ && std::ranges::all_of(registrations_, [](const auto& item) {
               return item.second.done || item.second.task != Task::publication;
           });
}

}  // namespace muster::sim
