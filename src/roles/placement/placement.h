#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/cluster.h"
#include "model/ids.h"
#include "msg/data_data.h"

// Which data node holds which slot: a pure plan from what is known. Nothing here is remembered from
// one plan to the next; a move is whatever the table shows half done.
namespace muster::placement {

// New holders of one slot.
struct Assignment {
    SlotId slot;
    NodeId leader;
    std::vector<NodeId> followers;

    [[nodiscard]] bool operator==(const Assignment&) const = default;
};

enum class Standing : std::uint8_t {
    live,     // heard from
    unheard,  // not known yet whether it lives: keeps what it has, gets nothing more
    leaving,  // keeps its copies for now, shall lead nothing
    dead,
};

struct DataNode {
    NodeId node;
    std::string zone = {};  // empty: none given
    Standing standing = Standing::live;
    bool replace = false;  // leaving or dead for so long that its copies go elsewhere
};

// How far a copy is, as its holder told last.
struct Copy {
    msg::LogPosition held;
    bool synced = false;  // with the present leader of the slot

    [[nodiscard]] bool operator==(const Copy&) const = default;
};

// Where copies stand; a copy nobody told of is empty.
class CopyPositions {
public:
    virtual ~CopyPositions() = default;
    [[nodiscard]] virtual Copy find(const NodeId& node, SlotId slot) const = 0;
};

// Numbers on disk (docs/protocol/meta_log.md): never changed.
enum class Mode : std::uint8_t {
    automatic,
    stopped,  // leaders only: what a node that died or leaves has led
    forced,   // as if nothing were protected
};

struct View {
    const SlotTable& table;        // may have no slots yet
    std::uint16_t slot_count = 0;  // of a table without slots
    std::vector<DataNode> nodes;   // all that are known; sorted by node
    const CopyPositions& copies;
    const std::map<SlotId, NodeId>& wishes;  // leaders that an operator chose
    Mode mode = Mode::automatic;
};

struct Options {
    std::size_t copies = 3;  // of a slot, the leader's included; as far as there are nodes
    // No new copy is begun while so many are not synced yet.
    std::size_t moving_max = 32;
    // Slots taken from a living leader to even out leaders, by one plan.
    std::size_t leads_max = 32;
    // While fewer data nodes live, copies stay where they are; 0: half of those that are known.
    std::size_t protected_nodes = 0;
};

struct Plan {
    std::vector<Assignment> assignments;  // by slot
    std::string protected_why;            // too few nodes live; empty: enough do
    std::size_t moving = 0;               // copies not synced yet, new ones included
};

// What to change now. In this order:
//
//   1. A slot without leader gets one: of a slot that had none ever, the node with the fewest; of a
//      dead leader, the live follower whose copy is furthest (epoch, then position), else a live
//      node with nothing. A leader that leaves hands over to a synced follower. Never held back.
//   2. Slots that have too few copies get another one; copies of nodes that are to be replaced, in
//      crowded zones or on crowded nodes are first made elsewhere and given up when all that stay
//      are synced. Half-done moves come before new ones.
//   3. Leaders are evened out among synced copies.
//
// 2 and 3 hold still while stopped, while a node is unheard, and while fewer data nodes live than
// are protected (unless forced); wishes are always carried out.
//
// Guarantees: 1. all holders of a slot differ; 2. a leader that lives only ever hands over to a
// synced copy; 3. a copy on a node that is not dead is given up only when `copies` others, or all
// that can be, are synced; 4. at rest copies are spread over as many zones as possible, and where
// zones do not forbid it nodes differ by at most one copy and one leader; 5. carried out and with
// copies becoming synced, plans end. The same view gives the same plan.
[[nodiscard]] Plan plan(const View& view, const Options& options);

// Who takes over what `node` leads because it begins a new life with nothing: of the live followers
// the one whose copy is furthest, as when it was dead; the node follows instead. That may be one
// that acted in its stead. Slots of which none has a copy are not named: it goes on leading them.
[[nodiscard]] std::vector<Assignment> plan_restart(const View& view, const NodeId& node);

}  // namespace muster::placement
