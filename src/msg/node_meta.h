#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "model/cluster.h"
#include "model/ids.h"
#include "msg/brake.h"
#include "msg/data_data.h"

// Between the metas and all other nodes.
namespace muster::msg {

// How many clients one session serves, and how many it shall serve in proportion to the others.
struct ClientLoad {
    NodeId session;
    std::uint64_t clients = 0;   // connections that stay
    std::uint64_t capacity = 0;  // a number to compare with those of others; 0: as the others

    [[nodiscard]] bool operator==(const ClientLoad&) const = default;
};

// What the leading meta tells sessions of each other's clients. In its memory only, and coarse:
// changed when a count moved by a few percent, or after a while.
struct ClientLoads {
    std::uint64_t version = 0;  // another one for other content, whoever leads; no order
    // Somebody is suspect, on the way out, or holds what closes: nobody's clients are to be moved.
    bool hold = false;
    std::vector<ClientLoad> sessions = {};  // that live, by session

    [[nodiscard]] bool operator==(const ClientLoads&) const = default;
};

// ---- node -> meta

// How far a data node's copy of one slot is.
struct CopyState {
    SlotId slot;
    LogPosition held;
    bool synced = false;  // it had all its leader told when it last heard from it

    [[nodiscard]] bool operator==(const CopyState&) const = default;
};

// Sent at a steady pace by every data and session node to every meta, and at once after start, when
// a peer's process ended, when its phase changed and when a reply wants copies. The leading meta
// answers, the others note it and stay silent. The first one of a new incarnation makes the node a
// member. `member.phase` is live, or leaving when the node stops gracefully: a session is no longer
// named to clients; a data node's slots move away, and it may end once the table names it nowhere.
struct NodeHeartbeat {
    struct Lost {
        NodeId node;
        Incarnation life = {};  // the latest that the sender had heard of; zero: of none

        [[nodiscard]] bool operator==(const Lost&) const = default;
    };
    Member member;
    Epoch table_epoch;  // what the node has
    std::uint64_t members_epoch = 0;
    // Copies, led ones too, whose position or state is another than in the heartbeat before. All of
    // them (`copies_whole`) in the first heartbeat of a life, when a reply wanted them, and when
    // the node saw a peer go, so that the metas promote the most caught-up copy.
    std::vector<CopyState> copies = {};
    bool copies_whole = false;  // what is not among `copies` the node does not hold
    // Peers whose process this node saw end (LinkEvent::closed) and not come back since; said as
    // long as it is so.
    std::vector<Lost> lost = {};
    Version version = {};  // of a data node: the highest it gave or saw
    // Of a data node, in the slots it leads: publications, and how many of them closed or fell
    // silent in this life, whether they were held or not (each is counted once: what an earlier
    // brake held and let go is not).
    std::uint64_t publications = 0;
    std::uint64_t removals = 0;
    std::vector<BrakeLine> brakes = {};  // of a session: its own, while it is on or holds some
    // Of a session: its load, as in ClientLoad, and which ClientLoads it was told last.
    std::uint64_t clients = 0;
    std::uint64_t client_capacity = 0;
    std::uint64_t loads_version = 0;
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

// Asks for the turn of a change that waits in the session; sent to every meta, answered by the
// leading one with PutTurnReply. The others stay silent, here and at ConfigPut. Doubled ones get
// two turns, of which one is used.
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

// What an operator wants of the metas. Sent by the HTTP side of any node, under one of its roles,
// to every meta; the leading one answers with OperatorReply when it is agreed, the others stay
// silent. Asked again until answered: the same request again has the same effect.
struct OperatorRequest {
    // `to` shall lead the slot: it follows first, and leads once it is synced. The slot stays there
    // while `to` lives, until placement is started again. Answered when the wish is agreed.
    struct MoveSlot {
        SlotId slot;
        NodeId to;
    };
    // No copy moves; what a dead leader led is still given to its followers.
    struct StopPlacement {};
    // Ends a stop, a force and all MoveSlot wishes.
    struct StartPlacement {};
    // Places although fewer data nodes live than are protected, until enough do again.
    struct ForcePlacement {};
    // Forgets a dead member. Errors: conflict (it is not dead), not_found.
    struct RemoveMember {
        NodeId node;
        Role role = Role::session;
    };
    struct ReportCluster {};

    using What = std::variant<ReportCluster, MoveSlot, StopPlacement, StartPlacement,
                              ForcePlacement, RemoveMember>;
    Incarnation incarnation;    // of the node that asks, echoed
    std::uint64_t request = 0;  // echoed
    What what;
};

// ---- meta -> node

// Bodies only when newer than what the node said it has. `known_before` tells a node whether an
// earlier incarnation of it was ever a member: one that was not cannot have clients that are still
// on their way back to it. Versions at or above `version_ceiling` must not be given by anyone until
// a later heartbeat raises it. `members` are all there are, dead ones too (Member::phase).
// `want_copies`: the next heartbeat, sent at once, shall name all copies the node holds. `braking`
// says why data nodes hold whatever closes or falls silent; empty: the cluster's brake is off.
// `loads`: to sessions, when theirs are of another version.
struct NodeHeartbeatReply {
    Incarnation incarnation;  // of the node that is answered
    bool known_before = false;
    Version version_ceiling;
    std::optional<SlotTable> table;
    std::uint64_t members_epoch = 0;
    std::optional<std::vector<Member>> members;
    bool want_copies = false;
    std::string braking = {};
    std::optional<ClientLoads> loads = {};
};

// The node is not let in: its id is in use by another folder, its cluster is another one. Nothing
// of it is taken. It goes on asking for a few leases, since the other may just have died, then says
// so and ends, or waits for its operator. Ignored unless incarnation and folder are the receiver's
// own: it may reach the rightful one.
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

// The cluster as the leading meta sees it.
struct ClusterReport {
    enum class Placement : std::uint8_t { automatic, stopped, forced };
    struct MemberLine {
        Member member;
        bool known_before = false;
        std::int64_t silent_ms = -1;  // since it was last heard; below zero: not by this leader
        std::uint32_t slots_led = 0;
        std::uint32_t slots_followed = 0;
        std::int64_t clients = -1;  // of a session, as it said last; below zero: not known
    };
    // As its holder told last.
    struct CopyLine {
        NodeId node;
        CopyState state;
    };
    NodeId leader;
    std::uint64_t term = 0;
    std::vector<NodeId> metas = {};  // voters of the group
    SlotTable table;
    std::uint64_t members_epoch = 0;
    Version version_ceiling;
    std::vector<MemberLine> members = {};  // by (node, role)
    std::vector<CopyLine> copies = {};     // by (slot, node)
    Placement placement = Placement::automatic;
    std::string protected_why = {};  // why placement holds still; empty: it does not
    std::uint32_t moving = 0;        // copies on their way
    std::vector<std::pair<SlotId, NodeId>> wishes = {};  // of MoveSlot
};

// The outcome of an OperatorRequest.
struct OperatorReply {
    Incarnation incarnation;  // of the node that asked
    std::uint64_t request = 0;
    Result<void> result;
    std::shared_ptr<const ClusterReport> report;  // of ReportCluster, else null
};

}  // namespace muster::msg
