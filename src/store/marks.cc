#include "store/marks.h"

#include <chrono>
#include <utility>

namespace muster::store {

PublicationPtr shown(const PublicationPtr& publication, const MarkPtr& mark) {
    if (mark == nullptr) {
        return publication;
    }
    if (is_drained(mark)) {
        return nullptr;
    }
    auto ramping = std::make_shared<Publication>(*publication);
    const Ramp ramp{.since = {.unix_ms = mark->since_ms},
                    .length = std::chrono::milliseconds(mark->ramp_ms)};
    ramping->attributes = ramp.added_to(publication->attributes);
    return ramping;
}

Departure hidden(const Publication& publication) {
    return {
        .id = publication.id, .order = publication.order, .connection = connection_of(publication)};
}

const MarkPtr& Marks::of(const RegistId& id) const {
    static const MarkPtr none;
    const auto found = by_id_.empty() ? by_id_.end() : by_id_.find(id);
    return found == by_id_.end() ? none : found->second;
}

void Marks::set(const RegistId& id, MarkPtr mark) {
    if (mark == nullptr && by_id_.empty()) {
        return;
    }
    drained_ -= is_drained(of(id)) ? 1 : 0;
    drained_ += is_drained(mark) ? 1 : 0;
    if (mark == nullptr) {
        by_id_.erase(id);
    } else {
        by_id_[id] = std::move(mark);
    }
}

}  // namespace muster::store
