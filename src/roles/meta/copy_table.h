#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "base/time.h"
#include "model/cluster.h"
#include "msg/node_meta.h"
#include "roles/placement/placement.h"

namespace muster::meta {

// How far the copies of slots are, as the data nodes that hold them told last. In memory only: a
// new leader and a new life of a node are told anew. Bounded: members times slots. Loop thread
// only.
class CopyTable final : public placement::CopyPositions {
public:
    explicit CopyTable(Duration refresh) : refresh_(refresh) {}

    // True: something is other than before.
    bool take(const msg::NodeHeartbeat& heartbeat, std::size_t slot_count, MonoTime now);

    // Whether the node shall name all its copies: it has not under this leader, or not for a while
    // (a lost heartbeat takes a change with it).
    [[nodiscard]] bool wanted(const NodeId& node, MonoTime now) const;

    // This meta leads from now on: what it heard meanwhile may have gaps.
    void begin_reign(const SlotTable& table);

    // Says of a slot whose leader or holders changed that what was told of it under an earlier
    // table is over.
    void change_table(const SlotTable& from, const SlotTable& to);

    void forget(const NodeId& node);

    // Synced counts only when it was told under the slot's present leader.
    [[nodiscard]] placement::Copy find(const NodeId& node, SlotId slot) const override;

    // By (slot, node).
    [[nodiscard]] std::vector<msg::ClusterReport::CopyLine> lines() const;

private:
    struct Known {
        msg::CopyState state;
        Epoch since;  // of the table by which the node became a holder, if we saw it
    };
    struct Node {
        Incarnation life;
        Epoch table_epoch;
        bool whole = false;
        MonoTime whole_at;
        std::map<SlotId, Known> copies;
    };

    Duration refresh_;
    std::map<NodeId, Node> nodes_;
    std::map<SlotId, Epoch> led_since_;  // table in which the leader's epoch began; not in it: at
    Epoch reign_since_;                  // the latest this one
};

}  // namespace muster::meta
