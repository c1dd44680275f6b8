#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "model/asked_by.h"
#include "model/datum.h"
#include "model/ids.h"
#include "model/publication.h"

// Between sessions and the leaders of slots.
//
// `acting` marks what a session says to a follower because it cannot reach the slot's leader. The
// follower takes it, under the slot's epoch, while it does not hear the leader either, and answers
// NotLeading otherwise; so does whoever does not lead the slot in the epoch that was named.
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
        std::uint64_t owner_seq = 0;  // counts one life's operations; 0: the memory of a loss
        // Of a closed or silent one: the session held it until its time was over, or an operator
        // confirmed it. No other brake asks again.
        bool confirmed = false;
        // Of a confirmed one: the operator's word. Null: its time was over.
        std::shared_ptr<const OperatorWord> word = nullptr;
    };
    Incarnation session;
    SlotId slot;
    Epoch slot_epoch;
    std::uint64_t batch = 0;  // echoed
    bool acting = false;      // to a follower
    std::vector<Op> ops;
    // When the session got the oldest of them, see Trace::got_us; zero: not known.
    std::int64_t got_us = 0;
};

// The session wants every change of these services from now on, starting with whatever differs from
// the version it holds. `stream` names the ordered stream of changes; a larger one replaces the
// stream before it, whose interests must be declared again. A stream is of one data node, whatever
// that leads, acts for, or comes to lead.
struct InterestDeclare {
    struct Item {
        ServicePtr service;
        Version held;           // of the session's copy; zero: it has none
        bool complete = false;  // that copy was once told whole and settled
        // The highest version that a client of the session was shown; the list is told above it.
        Version heard = {};
        // Others that clients were shown and that did not lead to the copy, and that of a copy
        // which is not named as held: what is told takes nothing away before the receiver knows
        // each of them, or all. A few.
        std::vector<Version> doubted = {};
        // Of the slot's leader as the session knows it; it is answered in that epoch only, as
        // others may tell the session more in the next. Zero: in any.
        Epoch slot_epoch = {};

        [[nodiscard]] Version highest() const {
            return std::max(
                {held, heard, doubted.empty() ? Version{} : *std::ranges::max_element(doubted)});
        }
    };
    Incarnation session;
    std::uint64_t stream = 0;
    std::uint64_t part = 0;  // parts of one stream are numbered from 0; repeated until acknowledged
    bool acting = false;     // services of slots that the receiver follows are among them
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

// Sent at a steady pace, and at once when the session adopts a table, takes up a slot with an
// acting leader or has supplied what it had not. Keeps the session's publications alive at the
// leader and lets both compare what the leader should hold of this session. A slot is named only
// when the session has nothing unacknowledged in it. Equal digests in the leader's epoch say that
// the leader knows all the session owns there; different ones are answered by SlotDetailRequest.
// When lost, a later one says the same.
struct SessionHeartbeat {
    struct SlotDigest {
        SlotId slot;
        Epoch slot_epoch;  // of the leader the session believes in
        SetDigest digest;
        std::uint32_t count = 0;
        bool complete = false;  // all its clients have, also those that had to come back first
        bool acting = false;    // to a follower
    };
    Incarnation session;
    std::uint64_t stamp = 0;  // owner_seq of the session's latest operation
    std::uint64_t round = 0;  // the latest that the data server has told, see DataHeartbeat
    std::vector<SlotDigest> digests;
};

// What the session owns in one slot, in answer to SlotDetailRequest: everything with an id above
// `after`, or, when there is more than a message shall hold, everything above it up to the greatest
// id that is listed. The leader removes (as closed) what it holds of this session between these ids
// with owner_seq <= stamp and is not listed, takes what is listed and newer, and asks for what
// follows. Each part is true by itself: when the next one is lost, it is asked for again.
struct SlotDetail {
    Incarnation session;
    SlotId slot;
    Epoch slot_epoch;
    std::uint64_t stamp = 0;
    std::uint64_t round = 0;                     // of the request
    bool complete = false;                       // as in SlotDigest
    std::vector<PublishBatch::Op> publications;  // by id
    RegistId after = {};                         // empty: nothing is before the first one listed
    bool more = false;                           // follows the last one listed
};

// Names of services that hold `contains`, sorted, at most `limit`, after `after`.
struct ListServices {
    std::uint64_t query = 0;  // echoed
    std::string contains;
    std::string after;
    std::uint32_t limit = 100;
};

// The session has taken all of the stream up to `seq`. When it is lost, the leader waits for it and
// says that it does, see DataHeartbeat.
struct ChangesTaken {
    Incarnation session;
    std::uint64_t stream = 0;
    std::uint64_t seq = 0;
};

// ---- data -> session

struct PublishBatchReply {
    Incarnation session;  // of the session that is answered; another life of it ignores this
    SlotId slot;
    std::uint64_t batch = 0;
    // not_leader, stale_epoch: ask the metas for a newer table and resend. not_ready: resend soon.
    Result<void> result;
    Epoch slot_epoch;     // as the answering node knows it
    bool acting = false;  // taken in the leader's stead: the leader learns of it by digest
};

// The sender does not lead these slots, or not in the epoch it was addressed with, or no longer:
// said in answer to heartbeats and declarations, and unasked to sessions that are told of changes
// there when it ends. With a greater epoch than the session's table has, it asks the metas at once;
// of an acting leader it goes back to the leader. What it had declared there is void.
struct NotLeading {
    struct Item {
        SlotId slot;
        Epoch slot_epoch;     // as the sender knows it
        bool acting = false;  // it acted, or was asked to act
    };
    Incarnation session;
    std::vector<Item> items;
};

// Changes of services the session is interested in, in order. seq counts from 1 in each stream. One
// that goes on holds a piece of one list only, and so does the next one of the stream.
struct ChangeBatch {
    Incarnation session;  // whose stream it is: each life numbers its streams from 1
    std::uint64_t stream = 0;
    std::uint64_t seq = 0;
    bool goes_on = false;
    bool ack_due = false;  // the session says so when it has taken this one
    std::vector<std::variant<DatumChange, DatumSnapshot>> changes;
};

// These parts of the stream's interests have arrived. Resent parts are acknowledged again.
struct InterestAck {
    Incarnation session;
    std::uint64_t stream = 0;
    std::uint64_t part = 0;
};

// The leader's side of SessionHeartbeat. `last_seq` lets the session notice a lost tail of its
// stream; a stream of zero means that the leader knows none of it (it restarted). `waits`: more is
// told when the session has taken what it was told; it says so again. `round` grows
// whenever the leader has reason to think that others took writes in its stead: what sessions said
// before they heard of the new round no longer shows that it knows all they have. A session that
// hears of a new one compares everything at once.
struct DataHeartbeat {
    Incarnation session;
    Incarnation data;
    std::uint64_t stream = 0;
    std::uint64_t last_seq = 0;
    std::uint64_t round = 0;
    bool waits = false;
};

// The digests of these slots differ: each is answered by a SlotDetail, unless the session may not
// tell of it yet. When lost, a later heartbeat differs again.
struct SlotDetailRequest {
    struct Item {
        SlotId slot;
        Epoch slot_epoch;     // echoed
        RegistId after = {};  // echoed: the leader has come so far
    };
    Incarnation session;
    std::uint64_t round = 0;  // echoed
    std::vector<Item> slots;
};

// The clients of these registrations have said something newer to other sessions: the session lets
// go of them, unless it has taken something of them after `owner_seq`. Said in answer to whatever
// lists them; when lost, they are listed again.
struct Superseded {
    struct Item {
        RegistId id;
        std::uint64_t owner_seq = 0;  // of the state that was listed
    };
    Incarnation session;
    std::vector<Item> items;
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

}  // namespace muster::msg
