#include "roles/meta/load_table.h"

#include <algorithm>
#include <utility>

namespace muster::meta {

void LoadTable::take(const NodeId& session, const msg::NodeHeartbeat& heartbeat) {
    loads_[session] = {
        .session = session, .clients = heartbeat.clients, .capacity = heartbeat.client_capacity};
}

std::uint64_t LoadTable::clients_of(const NodeId& session) const {
    const auto known = loads_.find(session);
    return known == loads_.end() ? 0 : known->second.clients;
}

void LoadTable::tell(const std::vector<NodeId>& live, bool troubled, std::uint64_t reign,
                     MonoTime now) {
    if (troubled) {
        held_until_ = now + options_.hold;
    }
    msg::ClientLoads fresh{.version = told_.version, .hold = now < held_until_};
    for (const NodeId& session : live) {
        if (const auto known = loads_.find(session); known != loads_.end()) {
            fresh.sessions.push_back(known->second);
        }
    }
    if (reign == reign_ && !due(fresh, now)) {
        return;
    }
    count_ = reign == reign_ ? count_ + 1 : 1;
    reign_ = reign;
    fresh.version = (reign << 32U) + count_;
    told_ = std::move(fresh);
    told_at_ = now;
}

bool LoadTable::due(const msg::ClientLoads& fresh, MonoTime now) const {
    if (fresh == told_) {
        return false;
    }
    const bool other_sessions =
        !std::ranges::equal(fresh.sessions, told_.sessions, [](const auto& a, const auto& b) {
            return a.session == b.session && a.capacity == b.capacity;
        });
    if (other_sessions || fresh.hold != told_.hold || now - told_at_ >= options_.settle) {
        return true;
    }
    if (now - told_at_ < options_.pace) {
        return false;
    }
    for (std::size_t i = 0; i < fresh.sessions.size(); ++i) {
        const std::uint64_t before = told_.sessions[i].clients;
        const std::uint64_t after = fresh.sessions[i].clients;
        const std::uint64_t moved = std::max(before, after) - std::min(before, after);
        if (moved > before / 100 * options_.percent + before % 100 * options_.percent / 100) {
            return true;
        }
    }
    return false;
}

}  // namespace muster::meta
