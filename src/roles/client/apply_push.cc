#include "roles/client/apply_push.h"

#include <algorithm>
#include <utility>

namespace muster::client {
namespace {

using Publications = std::vector<PublicationPtr>;

// Whether an update is taken over what is held under the same id.
enum class Clash : std::uint8_t { take_update, take_newer_order };

// Both sorted by id; the result as well.
Publications merge(const Publications& held, const Publications& updates, Clash clash) {
    Publications merged;
    merged.reserve(held.size() + updates.size());
    auto old = held.begin();
    for (const auto& update : updates) {
        while (old != held.end() && (*old)->id < update->id) {
            merged.push_back(*old++);
        }
        if (old != held.end() && (*old)->id == update->id) {
            const bool keep = clash == Clash::take_newer_order && (*old)->order > update->order;
            merged.push_back(keep ? *old : update);
            ++old;
        } else {
            merged.push_back(update);
        }
    }
    merged.insert(merged.end(), old, held.end());
    return merged;
}

void remove_ids(Publications& publications, const std::vector<RegistId>& removals) {
    std::erase_if(publications, [&](const PublicationPtr& publication) {
        return std::ranges::binary_search(removals, publication->id);
    });
}

ServiceViewPtr make_view(const msg::Push& push, Publications publications, SetDigest digest) {
    auto view = std::make_shared<ServiceView>();
    view->service = push.view->service;
    view->version = push.view->version;
    view->complete = push.view->complete;
    view->publications = std::move(publications);
    view->digest = digest;
    return view;
}

PushResult apply_full(const ServiceViewPtr& held, const msg::Push& push) {
    const SetDigest told = digest_of_list(push.view->publications);
    const bool differs = told != push.view->digest;
    const bool same_version = held != nullptr && held->version == push.view->version;
    if (push.view->complete || held == nullptr) {
        if (same_version && held->complete && held->digest == told) {
            return {PushOutcome::confirmed, held, differs};
        }
        return {PushOutcome::applied, make_view(push, push.view->publications, told), differs};
    }
    auto merged = merge(held->publications, push.view->publications, Clash::take_newer_order);
    const SetDigest digest = digest_of_list(merged);
    if (same_version && digest == held->digest) {
        return {PushOutcome::confirmed, held, differs};
    }
    auto view = make_view(push, std::move(merged), digest);
    if (same_version && held->complete) {
        // What was complete at this version still is, with what was added.
        auto completed = std::make_shared<ServiceView>(*view);
        completed->complete = true;
        view = std::move(completed);
    }
    return {PushOutcome::applied, std::move(view), differs};
}

PushResult apply_same_version_delta(const ServiceViewPtr& held, const msg::Push& push) {
    if (!push.view->complete) {
        return {PushOutcome::confirmed, held};
    }
    if (held->digest != push.view->digest) {
        return {PushOutcome::needs_full, held};
    }
    if (held->complete) {
        return {PushOutcome::confirmed, held};
    }
    return {PushOutcome::applied, make_view(push, held->publications, held->digest)};
}

PushResult apply_delta(const ServiceViewPtr& held, const msg::Push& push) {
    if (held != nullptr && held->version == push.view->version) {
        return apply_same_version_delta(held, push);
    }
    if (held == nullptr || held->version != push.delta->from) {
        return {PushOutcome::needs_full, held};
    }
    auto publications = merge(held->publications, push.delta->upserts,
                              push.view->complete ? Clash::take_update : Clash::take_newer_order);
    if (push.view->complete) {
        remove_ids(publications, push.delta->removals);
    }
    const SetDigest digest = digest_of_list(publications);
    if (push.view->complete && digest != push.view->digest) {
        return {PushOutcome::needs_full, held, true};
    }
    return {PushOutcome::applied, make_view(push, std::move(publications), digest)};
}

}  // namespace

SetDigest digest_of_list(const std::vector<PublicationPtr>& publications) {
    SetDigest digest;
    for (const auto& publication : publications) {
        digest.add(digest_of(publication->id, publication->order));
    }
    return digest;
}

PushResult apply_push(const ServiceViewPtr& held, const msg::Push& push,
                      std::size_t publications_max) {
    if (held != nullptr && push.view->version < held->version) {
        return {PushOutcome::older, held};
    }
    PushResult result = push.delta != nullptr ? apply_delta(held, push) : apply_full(held, push);
    if (result.outcome == PushOutcome::applied &&
        result.view->publications.size() > publications_max) {
        return {PushOutcome::over_limit, held, result.digest_differs};
    }
    return result;
}

}  // namespace muster::client
