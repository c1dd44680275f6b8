#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "model/cluster.h"
#include "model/datum.h"
#include "model/ids.h"
#include "model/publication.h"

// What the roles say to each other. Every message may be lost, doubled or overtaken; each says how
// the receiver copes.
namespace muster::msg {

// ---- session -> data (slot leader)

// States of the session's own publications that the leader has not acknowledged, for one slot.
// Idempotent: the leader keeps the newest by order; owner_seq breaks ties within one session.
struct PublishBatch {
    struct Op {
        RegistId id;
        ServicePtr service;
        PublicationPtr publication;  // null: it went
        RegistOrder order;
        RemovalCause cause = RemovalCause::left;  // when it went
        std::uint64_t owner_seq = 0;  // counts the operations of one session incarnation
    };
    Incarnation session;
    SlotId slot;
    Epoch slot_epoch;
    std::uint64_t batch = 0;  // echoed
    std::vector<Op> ops;
};

// The session wants every change of these services from now on, starting with whatever differs from
// the version it holds. `stream` names the ordered stream of changes; a larger one replaces the
// stream before it, whose interests must be declared again.
struct InterestDeclare {
    struct Item {
        ServicePtr service;
        Version held;  // zero: nothing
    };
    Incarnation session;
    std::uint64_t stream = 0;
    std::uint64_t part = 0;  // parts of one stream are numbered from 0; repeated until acknowledged
    std::vector<Item> items;
};

// The session no longer wants these. `part` continues the numbering of InterestDeclare: a service
// that a later part declared again stays. When lost, the leader tells more than is wanted, and the
// session says it again.
struct InterestDrop {
    Incarnation session;
    std::uint64_t stream = 0;
    std::uint64_t part = 0;
    std::vector<ServicePtr> services;
};

// Sent at a steady pace. Keeps the session's publications alive at the leader and lets both compare
// what the leader should hold of this session. A slot is named only when the session has nothing
// unacknowledged in it. `complete` lists the slots (with the leader epoch) to which the session has
// supplied all that its clients have, including those that had to come back first.
struct SessionHeartbeat {
    struct SlotDigest {
        SlotId slot;
        SetDigest digest;
        std::uint32_t count = 0;
    };
    Incarnation session;
    std::uint64_t stamp = 0;  // owner_seq of the session's latest operation
    std::vector<SlotDigest> digests;
    std::vector<std::pair<SlotId, Epoch>> complete;
};

// Everything the session owns in one slot, in answer to SlotDetailRequest. The leader asks for
// nothing more: it removes (as closed) what it holds of this session with owner_seq <= stamp and is
// not listed, and takes what is listed and newer.
struct SlotDetail {
    Incarnation session;
    SlotId slot;
    Epoch slot_epoch;
    std::uint64_t stamp = 0;
    std::vector<PublishBatch::Op> publications;
};

// Names of services that hold `contains`, sorted, at most `limit`, after `after`.
struct ListServices {
    std::uint64_t query = 0;  // echoed
    std::string contains;
    std::string after;
    std::uint32_t limit = 100;
};

// ---- data -> session

struct PublishBatchReply {
    Incarnation session;  // of the session that is answered; another life of it ignores this
    SlotId slot;
    std::uint64_t batch = 0;
    Result<void> result;  // not_leader, stale_epoch: ask the metas for a newer table and resend
    Epoch slot_epoch;     // as the answering node knows it
};

// Changes of services the session is interested in, in order. seq counts from 1 in each stream.
struct ChangeBatch {
    Incarnation session;  // whose stream it is: each life numbers its streams from 1
    std::uint64_t stream = 0;
    std::uint64_t seq = 0;
    std::vector<std::variant<DatumChange, DatumSnapshot>> changes;
};

// These parts of the stream's interests have arrived. Resent parts are acknowledged again.
struct InterestAck {
    Incarnation session;
    std::uint64_t stream = 0;
    std::uint64_t part = 0;
};

// The leader's side of SessionHeartbeat. `last_seq` lets the session notice a lost tail of its
// stream; a stream of zero means that the leader knows none of it (it restarted).
struct DataHeartbeat {
    Incarnation session;
    Incarnation data;
    std::uint64_t stream = 0;
    std::uint64_t last_seq = 0;
};

// The digests of these slots differ.
struct SlotDetailRequest {
    Incarnation session;
    SlotId slot;
    Epoch slot_epoch;
};

struct ListServicesReply {
    struct Entry {
        std::string data_info_id;
        std::uint32_t publications = 0;
        Version version;
    };
    std::uint64_t query = 0;
    std::vector<Entry> services;
    bool more = false;
    bool settled = false;
};

// ---- node -> meta

// Sent at a steady pace by every data and session node, and at once after start. The first one of
// a new incarnation makes the node a member.
struct NodeHeartbeat {
    Member member;
    Epoch table_epoch;  // what the node has
    std::uint64_t members_epoch = 0;
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

using ClusterMessage =
    std::variant<PublishBatch, InterestDeclare, InterestDrop, SessionHeartbeat, SlotDetail,
                 ListServices, PublishBatchReply, ChangeBatch, InterestAck, DataHeartbeat,
                 SlotDetailRequest, ListServicesReply, NodeHeartbeat, ConfigInterest, ConfigPut,
                 PutTurnRequest, NodeHeartbeatReply, ConfigValue, PutTurnReply, ConfigPutReply>;

}  // namespace muster::msg
