#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/ids.h"
#include "model/publication.h"

// Between the leader of a slot and its followers: the follower asks, the leader streams its log.
//
//   follower --FollowSlot--> leader --SlotEntries--> follower --FollowAck--> leader
//                               \--SlotImage (parts)--/   when its log does not reach back
namespace muster::msg {

// How far a copy of a slot is: positions count from 1 in each leader epoch.
struct LogPosition {
    Epoch epoch;  // of the leader whose log it is; zero: the copy is empty
    std::uint64_t number = 0;

    [[nodiscard]] auto operator<=>(const LogPosition&) const = default;
};

// One write as every copy keeps it. The owner is named, not numbered: each copy numbers for itself.
struct OwnedWrite {
    RegistId id;
    PublicationPtr publication;  // null: it went
    RegistOrder order;
    RemovalCause cause = RemovalCause::left;  // when it went
    NodeId owner;
    Incarnation owner_life;
    std::uint64_t owner_seq = 0;
};

// One step of a slot's log: the writes of one datum that were given one version. `from` equals `to`
// when subscribers see no difference (a new owner or order).
struct SlotEntry {
    ServicePtr service;
    Version from;
    Version to;
    std::vector<OwnedWrite> writes;
};

// follower -> leader: the sender is to follow `slot` and has it up to `held`. Repeated until
// something comes; said again after a gap.
struct FollowSlot {
    Incarnation data;
    SlotId slot;
    Epoch slot_epoch;
    LogPosition held;
};

// leader -> follower: the entries after `after`. Applies only to a copy at exactly `after`. Without
// entries it tells how far the leader is. `settled`: the leader knows all of the slot.
struct SlotEntries {
    SlotId slot;
    Epoch slot_epoch;
    LogPosition after;
    bool settled = false;
    std::vector<SlotEntry> entries;
};

// leader -> follower: the slot as it stands at `position`, in parts of bounded size, in order.
// `image` tells two of them apart.
struct SlotImage {
    struct Datum {
        ServicePtr service;
        Version version;
        std::vector<OwnedWrite> publications;
    };
    struct Tombstone {
        OwnedWrite write;  // without a publication
        ServicePtr service;
        std::int64_t age_ms = 0;
    };
    SlotId slot;
    Epoch slot_epoch;
    LogPosition position;
    bool settled = false;
    std::uint64_t image = 0;
    std::uint32_t part = 0;
    bool last = false;
    std::vector<Datum> data;  // a datum may go on in the next part
    std::vector<Tombstone> tombstones;
};

// follower -> leader: everything up to these positions has been taken.
struct FollowAck {
    struct Item {
        SlotId slot;
        LogPosition held;
    };
    Incarnation data;
    std::vector<Item> items;
};

}  // namespace muster::msg
