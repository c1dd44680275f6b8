#pragma once

#include <cstddef>
#include <map>

#include "base/time.h"
#include "model/ids.h"
#include "msg/outbox.h"

namespace muster::meta {

// When each member was last heard, and what it said it has: leases in memory only, learnt anew in
// every life. Bounded by the caller, who admits members.
class HeardTable {
public:
    struct Heard {
        Incarnation incarnation;
        MonoTime last;
        Epoch table_epoch;
        std::uint64_t members_epoch = 0;
    };

    explicit HeardTable(Duration lease) : lease_(lease) {}

    void hear(const msg::RoleAddress& who, const Heard& heard) {
        heard_[who] = heard;
    }

    // Everybody heard of gets a new lease: we were away, not they.
    void grant_all(MonoTime now) {
        for (auto& [who, heard] : heard_) {
            heard.last = now;
        }
    }

    void clear() {
        heard_.clear();
    }

    // Null: not in this life.
    [[nodiscard]] const Heard* find(const msg::RoleAddress& who) const {
        const auto found = heard_.find(who);
        return found == heard_.end() ? nullptr : &found->second;
    }

    [[nodiscard]] bool live(const msg::RoleAddress& who, MonoTime now) const {
        const Heard* heard = find(who);
        return heard != nullptr && now - heard->last < lease_;
    }

    [[nodiscard]] const std::map<msg::RoleAddress, Heard>& all() const {
        return heard_;
    }

private:
    Duration lease_;
    std::map<msg::RoleAddress, Heard> heard_;
};

}  // namespace muster::meta
