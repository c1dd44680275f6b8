#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/time.h"
#include "model/cluster.h"
#include "model/ids.h"
#include "msg/outbox.h"

namespace muster::session {

// Who serves one slot for this session.
struct Route {
    NodeId node;          // empty: nobody who holds the slot can be reached
    Epoch epoch;          // of the slot's leader
    bool acting = false;  // `node` follows, and stands in for the leader

    [[nodiscard]] bool operator==(const Route&) const = default;
};

// Where each slot's writes and wishes go: to its leader; while that cannot be reached and no newer
// table names another, to the first follower that can be, as acting leader; else to nobody.
//
//   leader --unreachable--> follower --unreachable, or will not act--> next ... --> nobody
//      ^------------------------- the leader is heard again -----------------------------+
//
// A node cannot be reached when its link has been reported closed for the patience, at once when
// that is reported silent, and when something that is to be answered was not for the patience.
// Nobody is given up for a pause of our own (extend()).
// Loop thread only. Bounds: one entry per slot, one per data node that the table ever named.
class SlotRoutes {
public:
    struct Change {
        SlotId slot;
        Route before;
        Route now;
    };

    explicit SlotRoutes(Duration patience) : patience_(patience) {}

    // Takes a newer table. Returns the slots that are served anew: by another node, or in another
    // leader epoch.
    [[nodiscard]] std::vector<Change> adopt(const SlotTable& table, MonoTime now);

    // The same after what was heard or not. To be called at every tick, and when stale().
    [[nodiscard]] std::vector<Change> reconsider(MonoTime now);
    // A node was heard that had been given up, or one was given up just now.
    [[nodiscard]] bool stale() const {
        return stale_;
    }

    void heard(const NodeId& node);
    // It was sent something that it has to answer.
    void asked(const NodeId& node, MonoTime now);
    void on_link(const NodeId& node, msg::LinkEvent event, MonoTime now);
    // `node` will not act for the leader of `slot`: another is asked, and it later.
    void will_not_act(const NodeId& node, SlotId slot, MonoTime now);

    // After a pause of our own.
    void extend(Duration gap);

    // Null while no table is known.
    [[nodiscard]] const Route* find(SlotId slot) const {
        return slot.raw() < routes_.size() ? &routes_[slot.raw()] : nullptr;
    }
    [[nodiscard]] const Route* find(const Service& service) const {
        return routes_.empty() ? nullptr : find(slot_of(service, routes_.size()));
    }
    [[nodiscard]] std::size_t size() const {
        return routes_.size();
    }
    // Leaders that others stand in for: they are asked whether they are back.
    [[nodiscard]] std::set<NodeId> missed() const;

    // Slots that a follower serves, and that nobody does.
    [[nodiscard]] std::size_t acting_count() const {
        return acting_;
    }
    [[nodiscard]] std::size_t unserved_count() const {
        return unserved_;
    }

private:
    struct Node {
        std::optional<MonoTime> unanswered_since;
        std::optional<MonoTime> down_since;
    };

    [[nodiscard]] bool reachable(const NodeId& node, MonoTime now) const;
    [[nodiscard]] bool given_up(const Node& node, MonoTime now) const;
    [[nodiscard]] Route choose(SlotId slot, MonoTime now) const;

    Duration patience_;
    SlotTable table_;
    std::vector<Route> routes_;
    std::size_t acting_ = 0;    // of routes_
    std::size_t unserved_ = 0;  // likewise
    std::map<NodeId, Node> nodes_;
    std::map<std::pair<NodeId, SlotId>, MonoTime> unwilling_;
    bool stale_ = false;
};

}  // namespace muster::session
