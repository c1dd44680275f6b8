#include "sim/checkers/truth.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"

namespace muster::sim {

std::string Listener::text() const {
    return fmt::format("{} of {} ({} {} {})", id, client, service.data_id, to_string(scope), zone);
}

Shown Shown::of(const ServiceView& view, std::string server, std::uint64_t life) {
    Shown shown{.server = std::move(server),
                .life = life,
                .version = view.version,
                .complete = view.complete,
                .publications = {}};
    for (const PublicationPtr& publication : view.publications) {
        shown.publications.emplace(publication->id, publication);
    }
    return shown;
}

void Truth::published(const RegistId& id, const Service& service, const std::string& zone,
                      const std::string& client, const std::string& content) {
    const auto [known, inserted] = publications_.try_emplace(id);
    CHECK(inserted);
    known->second = {
        .id = id, .service = service, .zone = zone, .client = client, .contents = {content}};
}

void Truth::updated(const RegistId& id, const std::string& content) {
    publications_.at(id).contents.push_back(content);
}

void Truth::ended(const RegistId& id, Ending how) {
    TruePublication& known = publications_.at(id);
    if (known.live()) {
        known.ending = how;
        known.ended_at = now();
    }
}

void Truth::client_died(const std::string& client, Ending how) {
    for (auto& [id, publication] : publications_) {
        if (publication.client == client) {
            ended(id, how);
        }
    }
    std::erase_if(listeners_, [&](const auto& item) { return item.first.client == client; });
    std::erase_if(crossed_at_, [&](const auto& item) { return item.first.client == client; });
    std::erase_if(watches_, [&](const auto& item) { return item.first.first == client; });
}

void Truth::excuse(const std::string& client) {
    for (auto& [id, publication] : publications_) {
        if (publication.client == client) {
            publication.excused_at = now();
        }
    }
}

bool Truth::excused(const TruePublication& publication) const {
    return publication.excused_at && now() - *publication.excused_at <= kExcused;
}

void Truth::excuse_return(const std::string& client) {
    for (auto& [id, publication] : publications_) {
        if (publication.client == client) {
            publication.doubled_at = now();
        }
    }
}

bool Truth::return_excused(const TruePublication& publication) const {
    return excused(publication) ||
           (publication.doubled_at && now() - *publication.doubled_at <= kExcused);
}

void Truth::nodes_cut() {
    cut_at_ = now();
}

bool Truth::reuniting() const {
    return cut_at_ && now() - *cut_at_ <= kReunited;
}

bool Truth::crossed(const Listener& listener) const {
    const auto known = crossed_at_.find(listener);
    return known != crossed_at_.end() && now() - std::max(known->second, *cut_at_) <= kReunited;
}

void Truth::subscribed(const Listener& listener) {
    listeners_.try_emplace(listener);
}

void Truth::unsubscribed(const Listener& listener) {
    listeners_.erase(listener);
    crossed_at_.erase(listener);
}

void Truth::pushed(const Listener& listener, const Shown& what) {
    const auto known = listeners_.find(listener);
    const Shown* held = known != listeners_.end() && known->second ? &*known->second : nullptr;
    for (Checker* checker : checkers_) {
        checker->on_pushed(listener, held, what);
    }
}

void Truth::shown(const Listener& listener, Shown what) {
    const auto known = listeners_.find(listener);
    if (known == listeners_.end()) {
        return;
    }
    ++views_shown_;
    const bool moved =
        known->second && (known->second->server != what.server || known->second->life != what.life);
    if (moved && reuniting()) {
        crossed_at_[listener] = now();
    }
    for (Checker* checker : checkers_) {
        checker->on_shown(listener, known->second ? &*known->second : nullptr, what);
    }
    known->second = std::move(what);
}

void Truth::watching(const std::string& client, const std::string& key) {
    watches_.try_emplace({client, key});
}

void Truth::unwatched(const std::string& client, const std::string& key) {
    watches_.erase({client, key});
}

void Truth::config_shown(const std::string& client, const std::string& key, std::string value) {
    if (const auto known = watches_.find({client, key}); known != watches_.end()) {
        known->second = std::move(value);
    }
}

void Truth::config_put(const std::string& key, std::string value) {
    configs_[key] = std::move(value);
}

std::map<RegistId, std::string> Truth::expected(const Listener& listener) const {
    std::map<RegistId, std::string> lists;
    for (const auto& [id, publication] : publications_) {
        if (publication.live() && !publication.drained && publication.service == listener.service &&
            (listener.scope != Scope::zone || publication.zone == listener.zone)) {
            lists.emplace(id, publication.contents.back());
        }
    }
    return lists;
}

}  // namespace muster::sim
