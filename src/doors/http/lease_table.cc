#include "doors/http/lease_table.h"

#include <algorithm>

#include "doors/http/instance_ids.h"

namespace muster::http {
namespace {

// Wall clocks of one server that jump back by less than this do not disorder an id.
constexpr Duration kLeftRemembered = std::chrono::seconds(60);

RegistOrder order_after(const RegistOrder& last, WallTime wall) {
    return {.version = 1, .timestamp_ms = std::max(last.timestamp_ms + 1, wall.unix_ms)};
}

}  // namespace

LeaseTable::Entries::iterator LeaseTable::find(const Key& key, MonoTime now) {
    const auto at = entries_.find(key);
    return at != entries_.end() && at->second.ends > now ? at : entries_.end();
}

void LeaseTable::set_end(Entries::iterator at, MonoTime ends) {
    by_end_.erase({at->second.ends, at->first});
    at->second.ends = ends;
    by_end_.emplace(ends, at->first);
}

Result<LeaseTable::Lease> LeaseTable::put(const Publication& content, Duration ttl, MonoTime now,
                                          WallTime wall) {
    expire(now);
    const Key key{*content.service, content.id};
    auto at = find(key, now);
    if (at == entries_.end()) {
        if (entries_.size() >= entries_max_) {
            return fail(Errc::over_limit,
                        "this server holds the most registrations by HTTP it "
                        "may, " +
                            std::to_string(entries_max_));
        }
        at = entries_.emplace(key, Entry{}).first;
    }
    Entry& entry = at->second;
    const bool is_new = entry.publication == nullptr;
    if (is_new || !entry.publication->same_content(content)) {
        auto publication = std::make_shared<Publication>(content);
        publication->order = order_after(entry.order, wall);
        entry.order = publication->order;
        entry.publication = std::move(publication);
    }
    entry.ttl = ttl;
    set_end(at, now + ttl);
    return Lease{.publication = entry.publication, .ttl = ttl, .is_new = is_new};
}

Result<LeaseTable::Lease> LeaseTable::renew(const Service& service, const RegistId& id,
                                            MonoTime now) {
    const auto at = find({service, id}, now);
    if (at == entries_.end() || at->second.publication == nullptr) {
        return fail(Errc::not_found, "no registration '" + std::string(instance_id_of(id)) +
                                         "' of " + service.path() + " to renew");
    }
    set_end(at, now + at->second.ttl);
    return Lease{.publication = at->second.publication, .ttl = at->second.ttl};
}

LeaseTable::Leaving LeaseTable::leave(const Service& service, const RegistId& id, MonoTime now,
                                      WallTime wall) {
    expire(now);
    const auto at = find({service, id}, now);
    if (at == entries_.end()) {
        return {.order = order_after({}, wall), .known = false};
    }
    Entry& entry = at->second;
    const bool known = entry.publication != nullptr;
    entry.order = order_after(entry.order, wall);
    entry.publication = nullptr;
    set_end(at, now + kLeftRemembered);
    return {.order = entry.order, .known = known};
}

void LeaseTable::refuse(const Publication& publication) {
    const auto at = entries_.find({*publication.service, publication.id});
    if (at != entries_.end() && at->second.order == publication.order) {
        at->second.publication = nullptr;
    }
}

void LeaseTable::expire(MonoTime now) {
    while (!by_end_.empty() && by_end_.begin()->first <= now) {
        entries_.erase(by_end_.begin()->second);
        by_end_.erase(by_end_.begin());
    }
}

}  // namespace muster::http
