#include "roles/client/registrations.h"

#include <utility>

#include "base/check.h"

namespace muster::client {
namespace {

std::size_t bytes_of(const Publication& publication) {
    std::size_t bytes = 256;
    for (const auto& box : publication.boxes) {
        bytes += box.size();
    }
    for (const auto& [name, value] : publication.attributes) {
        bytes += name.size() + value.size();
    }
    return bytes;
}

PublicationPtr with_order(const Publication& publication, RegistOrder order) {
    auto copy = std::make_shared<Publication>(publication);
    copy->order = order;
    return copy;
}

}  // namespace

void Registrations::add(WishId wish, Publication publication) {
    const bool added =
        entries_
            .emplace(wish,
                     Entry{.state = std::make_shared<const Publication>(std::move(publication))})
            .second;
    CHECK(added);
    deliveries_.wait(wish);
}

PublicationPtr Registrations::find(WishId wish) const {
    const auto found = entries_.find(wish);
    return found != entries_.end() && !found->second.withdrawn ? found->second.state : nullptr;
}

void Registrations::update(WishId wish, Publication publication) {
    Entry& entry = entries_.at(wish);
    CHECK(!entry.withdrawn && publication.order > entry.state->order);
    entry.state = std::make_shared<const Publication>(std::move(publication));
    deliveries_.wait(wish);
}

bool Registrations::withdraw(WishId wish, std::int64_t timestamp_ms) {
    const auto found = entries_.find(wish);
    CHECK(found != entries_.end() && !found->second.withdrawn);
    Entry& entry = found->second;
    if (!entry.told) {
        entries_.erase(found);
        deliveries_.erase(wish);
        return false;
    }
    entry.withdrawn = true;
    auto last = std::make_shared<Publication>(*entry.state);
    last->order = {.version = last->order.version + 1, .timestamp_ms = timestamp_ms};
    last->boxes = {};
    last->attributes = {};
    entry.state = std::move(last);
    deliveries_.wait(wish);
    return true;
}

std::vector<WishId> Registrations::live() const {
    std::vector<WishId> wishes;
    for (const auto& [wish, entry] : entries_) {
        if (!entry.withdrawn) {
            wishes.push_back(wish);
        }
    }
    return wishes;
}

void Registrations::on_connected(std::int64_t timestamp_ms) {
    for (auto& [wish, entry] : entries_) {
        entry.state = with_order(
            *entry.state, {.version = entry.state->order.version, .timestamp_ms = timestamp_ms});
    }
    deliveries_.wait_all();
}

std::optional<Registrations::Batch> Registrations::take(msg::RequestId request,
                                                        BatchLimits limits) {
    if (deliveries_.waiting().empty()) {
        return std::nullopt;
    }
    auto batch = take_registers(request, limits);
    return batch ? std::move(batch) : take_withdrawals(request, limits);
}

std::optional<Registrations::Batch> Registrations::take_registers(msg::RequestId request,
                                                                  BatchLimits limits) {
    Batch batch;
    msg::RegisterPublishers message{.request = request};
    std::size_t bytes = 0;
    for (const WishId wish : deliveries_.waiting()) {
        Entry& entry = entries_.at(wish);
        if (entry.withdrawn) {
            continue;
        }
        bytes += bytes_of(*entry.state);
        if (!batch.wishes.empty() &&
            (batch.wishes.size() == limits.items_max || bytes > limits.bytes_max)) {
            break;
        }
        entry.told = true;
        batch.wishes.push_back(wish);
        message.publications.push_back(entry.state);
    }
    if (batch.wishes.empty()) {
        return std::nullopt;
    }
    batch.message = std::move(message);
    return batch;
}

std::optional<Registrations::Batch> Registrations::take_withdrawals(msg::RequestId request,
                                                                    BatchLimits limits) {
    Batch batch;
    msg::UnregisterPublishers message{.request = request};
    for (const WishId wish : deliveries_.waiting()) {
        const Entry& entry = entries_.at(wish);
        if (batch.wishes.size() == limits.items_max) {
            break;
        }
        batch.wishes.push_back(wish);
        message.items.push_back(
            {.id = entry.state->id, .service = entry.state->service, .order = entry.state->order});
    }
    batch.message = std::move(message);
    return batch;
}

std::optional<Registrations::Answered> Registrations::on_outcome(WishId wish,
                                                                 const Result<void>& result) {
    const auto found = entries_.find(wish);
    if (found == entries_.end()) {
        return std::nullopt;
    }
    const Answered answered{.id = found->second.state->id,
                            .version = found->second.state->order.version};
    if (!result && info(result.error().code).retryable) {
        deliveries_.rest(wish);
    } else if (found->second.withdrawn) {
        // A refusal that stays a refusal ends it too: there is nothing left to ask for.
        deliveries_.erase(wish);
        entries_.erase(found);
    } else {
        deliveries_.done(wish);
    }
    return answered;
}

RegistId Registrations::id_of(WishId wish) const {
    const auto found = entries_.find(wish);
    return found != entries_.end() ? found->second.state->id : RegistId();
}

}  // namespace muster::client
