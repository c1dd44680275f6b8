#include "roles/client/lists.h"

#include <utility>

#include "base/check.h"

namespace muster::client {
namespace {

// What subscriptions and watches do alike.
template <typename Entries>
void restart(Entries& entries, Deliveries& deliveries, std::int64_t timestamp_ms, MonoTime now) {
    for (auto& [key, entry] : entries) {
        entry.timestamp_ms = timestamp_ms;
        entry.heard = now;
        entry.told = false;
    }
    deliveries.wait_all();
}

template <typename Entries>
std::size_t poll_entries(Entries& entries, Deliveries& deliveries, MonoTime since,
                         std::int64_t timestamp_ms) {
    std::size_t polled = 0;
    for (auto& [key, entry] : entries) {
        if (entry.told && entry.heard <= since) {
            entry.timestamp_ms = timestamp_ms;
            deliveries.wait(entry.wish);
            ++polled;
        }
    }
    return polled;
}

template <typename Entries, typename Keys>
void settle(Entries& entries, const Keys& keys, Deliveries& deliveries, WishId wish,
            const Result<void>& result, MonoTime now) {
    const auto key = keys.find(wish);
    if (key == keys.end()) {
        return;
    }
    if (!result && info(result.error().code).retryable) {
        deliveries.rest(wish);
        return;
    }
    deliveries.done(wish);
    entries.at(key->second).heard = now;
}

template <typename Entries, typename Keys>
RegistId id_in(const Entries& entries, const Keys& keys, WishId wish) {
    const auto key = keys.find(wish);
    return key != keys.end() ? entries.at(key->second).id : RegistId();
}

// A subscription never changes but for its timestamp.
constexpr std::int64_t kWishVersion = 1;

}  // namespace

Lists::Entry* Lists::find(const ListKey& key) {
    const auto found = entries_.find(key);
    return found != entries_.end() ? &found->second : nullptr;
}

const Lists::Entry* Lists::find(const ListKey& key) const {
    const auto found = entries_.find(key);
    return found != entries_.end() ? &found->second : nullptr;
}

const ListKey* Lists::key_of(WishId wish) const {
    const auto found = keys_.find(wish);
    return found != keys_.end() ? &found->second : nullptr;
}

Lists::Entry& Lists::add(const ListKey& key, WishId wish, RegistId id) {
    Entry& entry = entries_[key];
    CHECK(entry.wish == 0);
    entry.wish = wish;
    entry.id = std::move(id);
    entry.service = interned(key.service);
    keys_.emplace(wish, key);
    deliveries_.wait(wish);
    return entry;
}

void Lists::erase(const ListKey& key) {
    const auto found = entries_.find(key);
    CHECK(found != entries_.end());
    keys_.erase(found->second.wish);
    deliveries_.erase(found->second.wish);
    entries_.erase(found);
}

void Lists::on_connected(std::int64_t timestamp_ms, MonoTime now) {
    restart(entries_, deliveries_, timestamp_ms, now);
}

std::size_t Lists::poll(MonoTime since, std::int64_t timestamp_ms) {
    return poll_entries(entries_, deliveries_, since, timestamp_ms);
}

std::optional<Lists::Batch> Lists::take(msg::RequestId request, std::size_t items_max,
                                        const std::string& app) {
    if (deliveries_.waiting().empty()) {
        return std::nullopt;
    }
    Batch batch;
    msg::Subscribe message{.request = request};
    for (const WishId wish : deliveries_.waiting()) {
        if (batch.wishes.size() == items_max) {
            break;
        }
        const ListKey& key = keys_.at(wish);
        Entry& entry = entries_.at(key);
        msg::Subscribe::Item item{
            .subscription = {.id = entry.id,
                             .service = entry.service,
                             .order = {.version = kWishVersion, .timestamp_ms = entry.timestamp_ms},
                             .scope = key.scope,
                             .zone = key.zone,
                             .app = app}};
        if (entry.state.view != nullptr) {
            item.held = entry.state.view->version;
            item.held_digest = entry.state.view->digest;
        }
        entry.told = true;
        batch.wishes.push_back(wish);
        message.items.push_back(std::move(item));
    }
    batch.message = std::move(message);
    return batch;
}

RegistId Lists::id_of(WishId wish) const {
    return id_in(entries_, keys_, wish);
}

void Lists::on_outcome(WishId wish, const Result<void>& result, MonoTime now) {
    settle(entries_, keys_, deliveries_, wish, result, now);
}

Watches::Entry* Watches::find(const Service& key) {
    const auto found = entries_.find(key);
    return found != entries_.end() ? &found->second : nullptr;
}

const Watches::Entry* Watches::find(const Service& key) const {
    const auto found = entries_.find(key);
    return found != entries_.end() ? &found->second : nullptr;
}

Watches::Entry& Watches::add(const Service& key, WishId wish, RegistId id) {
    Entry& entry = entries_[key];
    CHECK(entry.wish == 0);
    entry.wish = wish;
    entry.id = std::move(id);
    entry.key = interned(key);
    keys_.emplace(wish, key);
    deliveries_.wait(wish);
    return entry;
}

void Watches::erase(const Service& key) {
    const auto found = entries_.find(key);
    CHECK(found != entries_.end());
    keys_.erase(found->second.wish);
    deliveries_.erase(found->second.wish);
    entries_.erase(found);
}

void Watches::on_connected(std::int64_t timestamp_ms, MonoTime now) {
    restart(entries_, deliveries_, timestamp_ms, now);
}

std::size_t Watches::poll(MonoTime since, std::int64_t timestamp_ms) {
    return poll_entries(entries_, deliveries_, since, timestamp_ms);
}

std::optional<Watches::Taken> Watches::take(msg::RequestId request) {
    if (deliveries_.waiting().empty()) {
        return std::nullopt;
    }
    const WishId wish = *deliveries_.waiting().begin();
    Entry& entry = entries_.at(keys_.at(wish));
    entry.told = true;
    return Taken{
        .wish = wish,
        .message = msg::WatchConfig{
            .request = request,
            .watch = {.id = entry.id,
                      .key = entry.key,
                      .order = {.version = kWishVersion, .timestamp_ms = entry.timestamp_ms}}}};
}

RegistId Watches::id_of(WishId wish) const {
    return id_in(entries_, keys_, wish);
}

void Watches::on_outcome(WishId wish, const Result<void>& result, MonoTime now) {
    settle(entries_, keys_, deliveries_, wish, result, now);
}

}  // namespace muster::client
