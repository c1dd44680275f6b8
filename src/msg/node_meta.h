#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/cluster.h"
#include "model/ids.h"
#include "msg/data_data.h"

// Between the metas and all other nodes.
namespace muster::msg {

// ---- node -> meta

// How far a data node's copy of one slot is.
struct CopyState {
    SlotId slot;
    LogPosition held;
    bool synced = false;  // it had all its leader told when it last heard from it

    [[nodiscard]] bool operator==(const CopyState&) const = default;
};

// Sent at a steady pace by every data and session node, and at once after start. The first one of
// a new incarnation makes the node a member.
struct NodeHeartbeat {
    Member member;
    Epoch table_epoch;  // what the node has
    std::uint64_t members_epoch = 0;
    // Copies of slots whose position or state is another than in the heartbeat before; all of them
    // when the node saw a peer go, so that the metas promote the most caught-up copy.
    std::vector<CopyState> copies = {};
    std::vector<NodeId> lost = {};  // peers whose process this node saw end
};

// A session's clients watch these configuration keys; answered by ConfigValue for each whose
// version is above `held`, and on every later change. Repeated with the heartbeat until known.
struct ConfigInterest {
    struct Item {
        std::string key;  // data_info_id
        Version held;
    };
    std::vector<Item> items;
};

// The place of a configuration change among all changes: given by the leading meta, each once,
// ascending while its term lasts.
struct PutTurn {
    std::uint64_t term = 0;  // of the leader that gave it
    std::uint64_t number = 0;

    [[nodiscard]] auto operator<=>(const PutTurn&) const = default;
};

// Asks for the turn of a change that waits in the session; answered by PutTurnReply, or by a
// ConfigPutReply when there is none to have. Doubled ones get two turns, of which one is used.
struct PutTurnRequest {
    Incarnation incarnation;    // of the session, echoed
    std::uint64_t request = 0;  // echoed
};

// Sets (or with null clears) a configuration value, in its turn: the meta carries it out unless one
// of a later turn was admitted before, so that a late one never overwrites a newer one. Carried out
// once, however often it arrives; answered by ConfigPutReply.
struct ConfigPut {
    Incarnation incarnation;    // of the session, echoed
    std::uint64_t request = 0;  // echoed
    PutTurn turn;
    std::string key;
    std::optional<std::string> value;
};

// ---- meta -> node

// Bodies only when newer than what the node said it has. `known_before` tells a node whether an
// earlier incarnation of it was ever a member: one that was not cannot have clients that are still
// on their way back to it. Versions at or above `version_ceiling` must not be given by anyone until
// a later heartbeat raises it.
struct NodeHeartbeatReply {
    Incarnation incarnation;  // of the node that is answered
    bool known_before = false;
    Version version_ceiling;
    std::optional<SlotTable> table;
    std::uint64_t members_epoch = 0;
    std::optional<std::vector<Member>> members;
};

// The node is not let in: its id is in use by another folder, its cluster is another one. It says
// so and ends, or waits for its operator; nothing of it is taken.
struct NodeRefused {
    Incarnation incarnation;  // of the node that is answered
    std::uint64_t folder = 0;
    Error why;
};

struct ConfigValue {
    std::string key;
    Version version;
    std::shared_ptr<const std::string> value;  // null: none
};

// The session sends the ConfigPut, unless it gave the change up meanwhile.
struct PutTurnReply {
    Incarnation incarnation;  // of the session
    std::uint64_t request = 0;
    PutTurn turn;
};

struct ConfigPutReply {
    Incarnation incarnation;  // of the session
    std::uint64_t request = 0;
    Result<Version> result;
};

}  // namespace muster::msg
