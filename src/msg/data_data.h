#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/cluster.h"
#include "model/ids.h"
#include "model/mark.h"
#include "model/publication.h"
#include "model/trace.h"

// Between the leader of a slot and its followers: the follower asks, the leader streams its log.
//
//   follower --FollowSlot---> leader --SlotEntries--> follower --FollowAck--> leader
//            --ImageRequest->        --SlotImage---->            when the log does not reach back
//
// Log entries are effects, not wishes: whoever installs them in order holds what the leader held,
// and installing one again changes nothing that later ones do not change back.
namespace muster::msg {

using muster::LogPosition;

// One write as every copy keeps it. The owner is named, not numbered: each copy numbers for itself.
struct OwnedWrite {
    RegistId id;
    PublicationPtr publication;  // null: it went, and is remembered as gone
    RegistOrder order;
    RemovalCause cause = RemovalCause::left;  // when it went
    NodeId owner;
    Incarnation owner_life;
    std::uint64_t owner_seq = 0;
    std::optional<Mark> mark = {};  // of a publication; in a tombstone, what it comes back under
};

// One step of a slot's log: the writes of one datum that were given one version. `from` equals `to`
// when subscribers see no difference (a new owner or order, the memory of something gone). Zero
// `from`: the version begins anew, no difference leads to it. Zero `to`: the datum, empty, is
// forgotten.
struct SlotEntry {
    ServicePtr service;
    Version from;
    Version to;
    std::vector<OwnedWrite> writes;
    Trace trace = {};
};

// follower -> leader: the sender is to follow `slot` and has it up to `held`. Repeated until
// something comes; said again after a gap. Answered by SlotEntries when the leader's log holds
// `held`, else by the first part of an image.
struct FollowSlot {
    // What clients withdrew on the sender's side of a cut, and the leader's image does not know of.
    struct Withdrawal {
        ServicePtr service;
        OwnedWrite write;
    };
    // A version of a list that the sender gave beside the leader: in its stead, or as the leader
    // before, whose last entries were lost.
    struct Given {
        ServicePtr service;
        Version version;
    };
    static constexpr std::size_t kWithdrawnMax = 1000;  // more than that goes when it is answered
    static constexpr std::size_t kGivenMax = 1000;      // the same

    Incarnation data;
    SlotId slot;
    Epoch slot_epoch;
    LogPosition held;
    std::vector<Withdrawal> withdrawn = {};
    std::vector<Given> given = {};  // above the leader's versions, as far as the sender knows those
};

// leader -> follower: the entries after `after`, which are numbered upwards in `entries_epoch`:
// from after.number + 1 if that is the epoch of `after`, else from 1. Applies only to a copy at
// exactly `after` (with entries it has already, to the rest). Without entries it says that the copy
// is at the beginning of `entries_epoch`, or how far the leader is. A copy that is behind `after`
// has missed some and asks by FollowSlot.
struct SlotEntries {
    Incarnation data;  // of the follower
    SlotId slot;
    Epoch slot_epoch;
    LogPosition after;
    Epoch entries_epoch;
    bool settled = false;  // at the last of the entries the lists of the slot are known whole
    // The leader lost its copy, or stood still and others may have acted for it: it makes no
    // statement with what it has, and neither may who has the same.
    bool in_doubt = false;
    std::vector<SlotEntry> entries;
};

// Where an image goes on: first publications in the order of (service, id), then tombstones in the
// order of their burial.
struct ImageCursor {
    bool publications_done = false;
    std::string service;  // data_info_id
    RegistId id;
    std::uint64_t burial = 0;

    [[nodiscard]] bool operator==(const ImageCursor&) const = default;
};

// follower -> leader: the next part of an image. The leader keeps nothing of it; the follower asks
// for one part of one slot at a time, for few slots at once, and again when nothing comes.
struct ImageRequest {
    Incarnation data;
    SlotId slot;
    Epoch slot_epoch;
    std::uint64_t image = 0;  // chosen by the follower, echoed: tells its attempts apart
    std::uint32_t part = 0;   // echoed
    ImageCursor from;
    // The sender leads the slot and lost its copy in a restart: whoever holds one answers.
    bool any_copy = false;
};

// leader -> follower: a part of the slot as it stands at `position`, of bounded size. Parts differ
// in position while the slot goes on: the copy is at the position of the first part, and is whole
// once it has the log's entries up to the position of the last.
struct SlotImage {
    struct Datum {
        ServicePtr service;
        Version version;
        std::vector<OwnedWrite> publications;
    };
    struct Tombstone {
        ServicePtr service;
        OwnedWrite write;                              // without a publication
        std::optional<std::uint64_t> connection = {};  // as in Departure, if it is known
        std::int64_t age_ms = 0;
    };
    Incarnation data;  // of the follower
    SlotId slot;
    Epoch slot_epoch;
    LogPosition position;
    bool settled = false;
    std::uint64_t image = 0;  // zero: the answer to a FollowSlot
    std::uint32_t part = 0;
    ImageCursor next;
    bool last = false;
    std::vector<Datum> data_items;  // a datum may go on in the next part
    std::vector<Tombstone> tombstones;
    std::vector<VersionGap> gaps;  // of the log, with the last part; oldest first
};

// follower -> leader: everything up to these positions has been taken. When lost, the leader sends
// again what it thinks is missing and is told again.
struct FollowAck {
    struct Item {
        SlotId slot;
        LogPosition held;
        bool settled = false;  // as it was told
    };
    Incarnation data;
    std::vector<Item> items;
};

// leader -> follower, at a steady pace and nothing else when all is still: it lives. A follower
// that believes to be in step in more slots, or fewer, than the leader streams to it asks anew. Who
// has a newer table than the pulse tells of answers with a pulse, so that its sender asks for it
// (ViewRequest). A few slots that are still are compared each time, in turn: a follower that holds
// another set of (registration id, order) at the same position takes an image; one that believes
// otherwise of the leader's being settled asks anew.
struct LeaderPulse {
    struct Copy {
        SlotId slot;
        LogPosition held;
        SetDigest digest;  // of all publications
        bool settled = false;
    };
    Incarnation data;
    Epoch table_epoch;
    std::uint32_t streamed = 0;  // slots of the receiver's
    std::vector<Copy> copies = {};
};

// data -> data: how far the receiver's copies of these slots are. Of a leader that lost its own in
// a restart; repeated until answered.
struct CopiesRequest {
    Incarnation data;  // echoed
    std::vector<SlotId> slots;
};

// data -> data: copies the sender holds of what was asked for.
struct CopiesReply {
    struct Copy {
        SlotId slot;
        Epoch slot_epoch;  // of the leader it belongs to, as the node knows
        LogPosition held;
        bool acting = false;
    };
    Incarnation data;  // of who asked
    std::vector<Copy> copies;
};

}  // namespace muster::msg
