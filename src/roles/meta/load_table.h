#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "base/time.h"
#include "msg/node_meta.h"

namespace muster::meta {

struct LoadTableOptions {
    // Counts that moved by more than so many percent are told `pace` after the last telling, others
    // `settle` after it.
    std::size_t percent = 5;
    Duration pace = std::chrono::seconds(1);
    Duration settle = std::chrono::seconds(5);
    // Held for so long after the last reason for it.
    Duration hold = std::chrono::seconds(5);
};

// How many clients the sessions serve, as they told last, and what sessions are told of it: less
// often than counts change, and nothing while they do not. In memory only; a new leader is told
// anew with the next heartbeats. Bounded: one entry for each session. Loop thread only.
class LoadTable {
public:
    explicit LoadTable(LoadTableOptions options) : options_(options) {}

    void take(const NodeId& session, const msg::NodeHeartbeat& heartbeat);
    void forget(const NodeId& session) {
        loads_.erase(session);
    }
    [[nodiscard]] std::uint64_t clients_of(const NodeId& session) const;

    // What is told from now on of these sessions, in ascending order. `troubled`: nobody's clients
    // are to be moved now. `reign` names this leadership, so that no two leaders give one version.
    void tell(const std::vector<NodeId>& live, bool troubled, std::uint64_t reign, MonoTime now);
    [[nodiscard]] const msg::ClientLoads& told() const {
        return told_;
    }

private:
    [[nodiscard]] bool due(const msg::ClientLoads& fresh, MonoTime now) const;

    LoadTableOptions options_;
    std::map<NodeId, msg::ClientLoad> loads_;
    msg::ClientLoads told_;
    std::uint64_t reign_ = 0;
    std::uint32_t count_ = 0;  // of what was told in this reign
    MonoTime told_at_;
    MonoTime held_until_;
};

}  // namespace muster::meta
