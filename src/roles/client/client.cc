#include "roles/client/client.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "roles/client/client_impl.h"

namespace muster::client {

std::string_view to_string(ClientState state) {
    switch (state) {
        case ClientState::stopped: return "stopped";
        case ClientState::disconnected: return "disconnected";
        case ClientState::connecting: return "connecting";
        case ClientState::connected: return "connected";
    }
    return "unknown";
}

ClientRole::Impl::Impl(ClientOptions options, ClientEnv env)
    : options_(std::move(options)),
      env_(env),
      prng_(env.prng),
      servers_(options_.servers, options_.servers_max, prng_) {
    CHECK(!options_.id_prefix.empty() && options_.batch_items_max > 0 &&
          options_.open_requests_max > 0 && options_.heartbeats_missed_max > 0);
}

// ---- ids and stamps

std::pair<WishId, RegistId> ClientRole::Impl::next_wish() {
    const WishId wish = ++last_wish_;
    return {wish, RegistId(options_.id_prefix + "-" + std::to_string(wish))};
}

WishId ClientRole::Impl::wish_of(const RegistId& id) const {
    const std::string_view text = id.raw();
    const std::size_t prefix = options_.id_prefix.size();
    if (text.size() <= prefix + 1 || !text.starts_with(options_.id_prefix) || text[prefix] != '-') {
        return 0;
    }
    WishId wish = 0;
    const auto [end, error] = std::from_chars(text.begin() + prefix + 1, text.end(), wish);
    return error == std::errc{} && end == text.end() ? wish : 0;
}

std::int64_t ClientRole::Impl::stamp() {
    last_stamp_ms_ = std::max(last_stamp_ms_ + 1, env_.clock.wall().unix_ms);
    return last_stamp_ms_;
}

void ClientRole::Impl::send_soon() {
    if (state_ == ClientState::connected) {
        arm(Timer::flush, Duration{});
    }
}

// ---- publications

Result<Publication> ClientRole::Impl::make_publication(PublicationSpec spec) const {
    auto service = Service::make(spec.service.tenant, spec.service.group, spec.service.data_id);
    if (!service) {
        return std::unexpected(std::move(service).error());
    }
    Publication publication;
    publication.service = interned(std::move(*service));
    publication.zone = spec.zone.empty() ? options_.zone : spec.zone;
    publication.app = spec.app.empty() ? options_.app : spec.app;
    publication.boxes = spec.boxes;
    publication.attributes = std::move(spec.attributes);
    return publication;
}

Result<RegistId> ClientRole::Impl::register_publication(PublicationSpec spec) {
    if (registrations_.size() >= options_.registrations_max) {
        return fail(Errc::over_limit,
                    "at most " + std::to_string(options_.registrations_max) + " registrations");
    }
    auto publication = make_publication(std::move(spec));
    if (!publication) {
        return std::unexpected(std::move(publication).error());
    }
    auto [wish, id] = next_wish();
    publication->id = id;
    publication->order = {.version = 1, .timestamp_ms = stamp()};
    registrations_.add(wish, std::move(*publication));
    send_soon();
    return id;
}

Result<void> ClientRole::Impl::update(const RegistId& id, PublicationSpec spec) {
    const WishId wish = wish_of(id);
    const PublicationPtr held = registrations_.find(wish);
    if (held == nullptr) {
        return fail(Errc::not_found, "registration " + id.raw());
    }
    auto publication = make_publication(std::move(spec));
    if (!publication) {
        return std::unexpected(std::move(publication).error());
    }
    if (*publication->service != *held->service) {
        return fail(Errc::invalid_argument, "a registration keeps its service");
    }
    publication->service = held->service;
    publication->id = id;
    publication->order = {.version = held->order.version + 1, .timestamp_ms = stamp()};
    registrations_.update(wish, std::move(*publication));
    send_soon();
    return {};
}

Result<void> ClientRole::Impl::unregister(const RegistId& id) {
    const WishId wish = wish_of(id);
    if (registrations_.find(wish) == nullptr) {
        return fail(Errc::not_found, "registration " + id.raw());
    }
    if (registrations_.withdraw(wish, stamp())) {
        send_soon();
    }
    return {};
}

void ClientRole::Impl::unregister_all() {
    const std::int64_t now_ms = stamp();
    for (const WishId wish : registrations_.live()) {
        registrations_.withdraw(wish, now_ms);
    }
    send_soon();
}

// ---- lists and watches

ListKey ClientRole::Impl::normal(ListKey key) const {
    if (key.zone.empty()) {
        key.zone = options_.zone;
    }
    return key;
}

Result<void> ClientRole::Impl::subscribe(const ListKey& wanted) {
    ListKey key = normal(wanted);
    if (Lists::Entry* entry = lists_.find(key)) {
        ++entry->count;
        return {};
    }
    if (lists_.all().size() >= options_.lists_max) {
        return fail(Errc::over_limit, "at most " + std::to_string(options_.lists_max) + " lists");
    }
    auto service = Service::make(key.service.tenant, key.service.group, key.service.data_id);
    if (!service) {
        return std::unexpected(std::move(service).error());
    }
    if (*service != key.service) {
        return fail(Errc::invalid_argument, "a list needs the full name of its service");
    }
    auto [wish, id] = next_wish();
    Lists::Entry& entry = lists_.add(key, wish, std::move(id));
    entry.count = 1;
    entry.timestamp_ms = stamp();
    entry.heard = env_.clock.mono();
    if (const auto cached = cached_.find(key); cached != cached_.end()) {
        entry.state = {
            .view = std::move(cached->second.view), .stale = true, .as_of = cached->second.as_of};
        cached_.erase(cached);
        arm(Timer::cache, options_.cache_wait);
    }
    send_soon();
    return {};
}

Result<void> ClientRole::Impl::unsubscribe(const ListKey& wanted) {
    const ListKey key = normal(wanted);
    Lists::Entry* entry = lists_.find(key);
    if (entry == nullptr) {
        return fail(Errc::not_found, "list of " + key.service.path());
    }
    if (--entry->count > 0) {
        return {};
    }
    if (entry->told && state_ == ClientState::connected &&
        unsubscribes_.size() < options_.lists_max) {
        unsubscribes_.push_back({.id = entry->id,
                                 .service = entry->service,
                                 .order = {.version = 2, .timestamp_ms = stamp()}});
        send_soon();
    }
    lists_.erase(key);
    return {};
}

Result<void> ClientRole::Impl::watch_config(const Service& key) {
    if (Watches::Entry* entry = watches_.find(key)) {
        ++entry->count;
        return {};
    }
    if (watches_.size() >= options_.watches_max) {
        return fail(Errc::over_limit,
                    "at most " + std::to_string(options_.watches_max) + " watches");
    }
    if (auto service = Service::make(key.tenant, key.group, key.data_id);
        !service || *service != key) {
        return fail(Errc::invalid_argument, "a watch needs the full name of its key");
    }
    auto [wish, id] = next_wish();
    Watches::Entry& entry = watches_.add(key, wish, std::move(id));
    entry.count = 1;
    entry.timestamp_ms = stamp();
    entry.heard = env_.clock.mono();
    send_soon();
    return {};
}

Result<void> ClientRole::Impl::unwatch_config(const Service& key) {
    Watches::Entry* entry = watches_.find(key);
    if (entry == nullptr) {
        return fail(Errc::not_found, "watch of " + key.path());
    }
    if (--entry->count > 0) {
        return {};
    }
    if (entry->told && state_ == ClientState::connected &&
        unwatches_.size() < options_.watches_max) {
        unwatches_.push_back(
            {.id = entry->id, .key = entry->key, .order = {.version = 2, .timestamp_ms = stamp()}});
        send_soon();
    }
    watches_.erase(key);
    return {};
}

ListState ClientRole::Impl::list(const ListKey& key) const {
    const Lists::Entry* entry = lists_.find(normal(key));
    return entry != nullptr ? entry->state : ListState{};
}

ConfigState ClientRole::Impl::config(const Service& key) const {
    const Watches::Entry* entry = watches_.find(key);
    return entry != nullptr ? entry->state : ConfigState{};
}

PublicationPtr ClientRole::Impl::registration(const RegistId& id) const {
    return registrations_.find(wish_of(id));
}

// ---- disk cache

std::vector<ListSnapshot> ClientRole::Impl::export_lists() const {
    std::vector<ListSnapshot> lists;
    for (const auto& [key, entry] : lists_.all()) {
        if (entry.state.view != nullptr) {
            lists.push_back({.key = key, .view = entry.state.view, .as_of = entry.state.as_of});
        }
    }
    return lists;
}

void ClientRole::Impl::import_lists(std::vector<ListSnapshot> lists) {
    CHECK_BECAUSE(state_ == ClientState::stopped, "a cached list must not hide a fresh one");
    const auto out_of_order = [](const PublicationPtr& a, const PublicationPtr& b) {
        return a->id >= b->id;
    };
    for (auto& list : lists) {
        const bool usable = list.view != nullptr && list.view->version != Version{} &&
                            std::ranges::adjacent_find(list.view->publications, out_of_order) ==
                                list.view->publications.end();
        if (!usable || cached_.size() == options_.lists_max) {
            continue;
        }
        auto view = std::make_shared<ServiceView>(*list.view);
        view->digest = digest_of_list(view->publications);  // what is held, whatever the file says
        list.view = std::move(view);
        list.key = normal(std::move(list.key));
        ListKey key = list.key;
        if (Lists::Entry* entry = lists_.find(key); entry == nullptr) {
            cached_.insert_or_assign(std::move(key), std::move(list));
        } else if (entry->state.view == nullptr) {
            entry->state = {.view = std::move(list.view), .stale = true, .as_of = list.as_of};
            arm(Timer::cache, options_.cache_wait);
        }
    }
}

void ClientRole::Impl::show_cached_lists() {
    std::vector<std::pair<ListKey, ListState>> shown;
    for (auto& [key, entry] : lists_.all()) {
        const ListState& state = entry.state;
        if (!entry.shown && state.stale &&
            (state.view->complete || !state.view->publications.empty())) {
            entry.shown = true;
            shown.emplace_back(key, state);
        }
    }
    for (const auto& [key, state] : shown) {
        env_.observer.on_list(key, state);
    }
}

// ---- status

ClientStatus ClientRole::Impl::status() const {
    return {.state = state_,
            .server = server_,
            .registrations = registrations_.size(),
            .unacknowledged = registrations_.deliveries().unanswered(),
            .lists = lists_.all().size(),
            .watches = watches_.size(),
            .open_requests = open_.size()};
}

void ClientRole::Impl::write_metrics(MetricsWriter& writer) const {
    const auto counter = [&](std::string_view name, std::string_view help, const Counter& probe) {
        writer.counter(name, help, probe.value());
    };
    counter("muster_client_connects_total", "Connections made", probes_.connects);
    counter("muster_client_connect_failures_total", "Attempts that failed",
            probes_.connect_failures);
    counter("muster_client_links_lost_total", "Connections lost or given up", probes_.links_lost);
    counter("muster_client_moves_total", "Moves to the server a server named", probes_.moves);
    counter("muster_client_requests_total", "Requests sent", probes_.requests);
    counter("muster_client_request_timeouts_total", "Requests without an answer",
            probes_.request_timeouts);
    counter("muster_client_refusals_total", "Items a server refused", probes_.refusals);
    counter("muster_client_pushes_full_total", "Whole lists received", probes_.pushes_full);
    counter("muster_client_pushes_delta_total", "Deltas received", probes_.pushes_delta);
    counter("muster_client_pushes_older_total", "Pushes of a version below the held one",
            probes_.pushes_older);
    counter("muster_client_pushes_unfit_total", "Deltas that did not fit", probes_.pushes_unfit);
    counter("muster_client_pushes_over_limit_total", "Lists over the limit",
            probes_.pushes_over_limit);
    counter("muster_client_digest_mismatches_total", "Pushes whose digest did not match",
            probes_.digest_mismatches);
    counter("muster_client_polls_total", "Wishes told again because nothing was heard",
            probes_.polls);
    writer.gauge("muster_client_registrations", "Registrations kept",
                 static_cast<std::int64_t>(registrations_.size()));
    writer.gauge("muster_client_unacknowledged", "Registrations not answered yet",
                 static_cast<std::int64_t>(registrations_.deliveries().unanswered()));
    writer.gauge("muster_client_lists", "Lists subscribed",
                 static_cast<std::int64_t>(lists_.all().size()));
}

// ---- the face

ClientRole::ClientRole(ClientOptions options, ClientEnv env)
    : impl_(std::make_unique<Impl>(std::move(options), env)) {}
ClientRole::~ClientRole() = default;

void ClientRole::start() {
    impl_->start();
}
void ClientRole::stop() {
    impl_->stop();
}
void ClientRole::flush() {
    impl_->flush();
}
Result<RegistId> ClientRole::register_publication(PublicationSpec spec) {
    return impl_->register_publication(std::move(spec));
}
Result<void> ClientRole::update(const RegistId& id, PublicationSpec spec) {
    return impl_->update(id, std::move(spec));
}
Result<void> ClientRole::unregister(const RegistId& id) {
    return impl_->unregister(id);
}
void ClientRole::unregister_all() {
    impl_->unregister_all();
}
Result<void> ClientRole::subscribe(const ListKey& key) {
    return impl_->subscribe(key);
}
Result<void> ClientRole::unsubscribe(const ListKey& key) {
    return impl_->unsubscribe(key);
}
Result<void> ClientRole::watch_config(const Service& key) {
    return impl_->watch_config(key);
}
Result<void> ClientRole::unwatch_config(const Service& key) {
    return impl_->unwatch_config(key);
}
void ClientRole::set_servers(std::vector<std::string> servers) {
    impl_->set_servers(std::move(servers));
}
ListState ClientRole::list(const ListKey& key) const {
    return impl_->list(key);
}
ConfigState ClientRole::config(const Service& key) const {
    return impl_->config(key);
}
LinkId ClientRole::link() const {
    return impl_->link();
}
ClientStatus ClientRole::status() const {
    return impl_->status();
}
PublicationPtr ClientRole::registration(const RegistId& id) const {
    return impl_->registration(id);
}
void ClientRole::write_metrics(MetricsWriter& writer) const {
    impl_->write_metrics(writer);
}
std::vector<ListSnapshot> ClientRole::export_lists() const {
    return impl_->export_lists();
}
void ClientRole::import_lists(std::vector<ListSnapshot> lists) {
    impl_->import_lists(std::move(lists));
}
void ClientRole::on_link_up(LinkId link) {
    impl_->on_link_up(link);
}
void ClientRole::on_link_down(LinkId link, const Error& why) {
    impl_->on_link_down(link, why);
}
void ClientRole::on_reply(LinkId link, const msg::RequestReply& reply) {
    impl_->on_reply(link, reply);
}
void ClientRole::on_request_failed(LinkId link, msg::RequestId request, const Error& why) {
    impl_->on_request_failed(link, request, why);
}
void ClientRole::on_push(LinkId link, const msg::Push& push) {
    impl_->on_push(link, push);
}
void ClientRole::on_config_push(LinkId link, const msg::ConfigPush& push) {
    impl_->on_config_push(link, push);
}
void ClientRole::on_hint(LinkId link, const msg::ServerHint& hint) {
    impl_->on_hint(link, hint);
}
void ClientRole::on_heartbeat_ack(LinkId link) {
    impl_->on_heartbeat_ack(link);
}
void ClientRole::on_timer(env::TimerKey key) {
    impl_->on_timer(key);
}

}  // namespace muster::client
