#pragma once

#include <map>
#include <optional>
#include <vector>

#include "model/ids.h"
#include "msg/data_data.h"
#include "store/slot_log.h"

namespace muster::data {

// The name of store::kNobody, on every copy: no node can have it. The owner_seq of what it owns is
// the wall clock, in milliseconds, when it was held.
inline constexpr const char* kHeldOwner = "=held";

// Names of the sessions that own publications, and this node's numbers for them: nodes agree on
// names only. Loop thread only. Bounded by the sessions the cluster ever had.
class Owners {
public:
    [[nodiscard]] store::OwnerId of(const NodeId& session, Incarnation life);
    // The same for a session that has been heard of; none: it has not.
    [[nodiscard]] std::optional<store::OwnerId> find(const NodeId& session, Incarnation life) const;
    [[nodiscard]] const NodeId& session(store::OwnerId owner) const;
    [[nodiscard]] static Incarnation life(store::OwnerId owner) {
        return Incarnation(owner.raw() & ((std::uint64_t{1} << store::kLifeBits) - 1));
    }

    // ---- between what a copy keeps and what copies tell each other

    [[nodiscard]] msg::OwnedWrite named(const store::Effect& effect) const;
    [[nodiscard]] msg::OwnedWrite named(const store::Write& effect) const;
    [[nodiscard]] msg::OwnedWrite named(const store::Tombstone& stone) const;
    [[nodiscard]] msg::SlotEntry named(const store::LogEntry& entry) const;
    [[nodiscard]] static store::MarkPtr mark_of(const msg::OwnedWrite& write);
    // `service` may be null for what went.
    [[nodiscard]] store::Write numbered(const msg::OwnedWrite& write, const ServicePtr& service);

private:
    std::map<NodeId, std::uint64_t> numbers_;
    std::vector<NodeId> sessions_;  // by number - 1
};

}  // namespace muster::data
