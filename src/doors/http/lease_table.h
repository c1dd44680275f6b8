#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/result.h"
#include "base/time.h"
#include "model/publication.h"

namespace muster::http {

// What clients registered by HTTP, by service and id: so that a heartbeat need not repeat the
// content, and so that the states of one id are ordered (I8) although HTTP clients send no order:
// (1, this server's wall milliseconds), made strictly growing per id. An id that left is remembered
// for a while, for its order.
//
// Owned by the door. Loop thread only. Bounds: `entries_max`; more is refused with over_limit.
//
// 1. An entry ends no later than the session's lease of it, which was renewed after it was: what is
//    renewed here is still alive there.
class LeaseTable {
public:
    explicit LeaseTable(std::size_t entries_max) : entries_max_(entries_max) {}

    struct Lease {
        PublicationPtr publication;
        Duration ttl{};
        bool is_new = false;  // the id was not known
    };

    // Registers or renews: same content keeps the publication and its order. Errors: over_limit.
    Result<Lease> put(const Publication& content, Duration ttl, MonoTime now, WallTime wall);

    // Renews. Errors: not_found.
    Result<Lease> renew(const Service& service, const RegistId& id, MonoTime now);

    struct Leaving {
        RegistOrder order;
        bool known = false;
    };
    // Forgets the content, gives the order of the removal.
    Leaving leave(const Service& service, const RegistId& id, MonoTime now, WallTime wall);

    // The session refused that state: the next PUT registers anew.
    void refuse(const Publication& publication);

    // Drops what ended.
    void expire(MonoTime now);

    [[nodiscard]] std::size_t size() const {
        return entries_.size();
    }

private:
    using Key = std::pair<Service, RegistId>;
    struct Entry {
        PublicationPtr publication;  // null: it left
        Duration ttl{};
        RegistOrder order;
        MonoTime ends;
    };
    using Entries = std::map<Key, Entry>;

    // The entry when it has not ended yet.
    [[nodiscard]] Entries::iterator find(const Key& key, MonoTime now);
    void set_end(Entries::iterator at, MonoTime ends);

    std::size_t entries_max_;
    Entries entries_;
    std::set<std::pair<MonoTime, Key>> by_end_;
};

}  // namespace muster::http
