#include "sim/deltas/book.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "base/hash.h"

namespace muster::sim {

Book::Book(const std::vector<std::size_t>& usual_sizes) {
    for (const std::size_t size : usual_sizes) {
        const std::size_t number = services_.size() + 1;
        services_.push_back({.service = {.data_id = fmt::format("com.example.Service{}", number)},
                             .usual_size = size,
                             .entries = {}});
    }
}

const Book::ServiceBook& Book::find(const Service& service) const {
    const auto found = std::ranges::find(services_, service, &ServiceBook::service);
    CHECK(found != services_.end());
    return *found;
}

std::string Book::note_shown(const std::string& session, const client::ListKey& key,
                             const ServiceView& view) {
    hash_ = hash64(fmt::format("{} {} {} {} {} {:x} {:x}", session, key.service.data_id, key.zone,
                               view.version.raw(), view.publications.size(), view.digest.low,
                               view.digest.high),
                   hash_);
    if (!view.complete) {
        return {};
    }
    const auto [known, is_new] = shown_[{session, key}].try_emplace(view.version, view.digest);
    if (!is_new && known->second != view.digest) {
        return fmt::format("{} told two contents of {} at version {}", session, key.service.data_id,
                           view.version.raw());
    }
    return {};
}

}  // namespace muster::sim
