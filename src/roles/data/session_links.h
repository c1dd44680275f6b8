#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/time.h"
#include "model/ids.h"
#include "msg/outbox.h"
#include "store/datum_store.h"

namespace muster::data {

// A service a session wants to be told about, and the part of its stream that said so.
struct Interest {
    ServicePtr service;
    std::uint64_t part = 0;
};

// What a data server knows of one session: which life it is in, which stream of changes it reads,
// and what it wants to be told.
struct SessionLink {
    NodeId node;
    Incarnation incarnation;
    store::OwnerId owner;
    MonoTime last_heard;

    std::uint64_t stream = 0;
    std::uint64_t last_seq = 0;
    std::set<std::uint64_t> parts;                                  // of this stream, already taken
    std::map<std::string, Interest> interests;                      // by data_info_id
    std::vector<std::variant<DatumChange, DatumSnapshot>> pending;  // told at the end of the turn

    // The leader epoch in which the session's digest of a slot was last equal to ours, while it had
    // all its clients.
    std::map<SlotId, Epoch> supplied;

    // Whether the leader of `slot` in `epoch` knows all that clients of the session have there.
    [[nodiscard]] bool has_supplied(SlotId slot, Epoch epoch) const {
        const auto known = supplied.find(slot);
        return known != supplied.end() && known->second == epoch;
    }

    // When a slot's detail was last asked for, and in which epoch.
    struct Asked {
        Epoch epoch;
        MonoTime at;
    };
    std::map<SlotId, Asked> asked;
};

// The sessions a data server hears from, and the owners (lives of sessions) whose publications it
// still holds. Loop thread only.
class SessionLinks {
public:
    struct Orphan {
        store::OwnerId owner;
        NodeId node;
        MonoTime since;
    };

    // The link for a message of (`node`, `incarnation`); none when a later life is known. An
    // unknown or later life begins a new link, and leaves what the earlier one owned as orphans.
    SessionLink* hear(const NodeId& node, Incarnation incarnation, MonoTime now);

    [[nodiscard]] SessionLink* find(const NodeId& node);

    // Whether every one of `sessions` (node and incarnation) has supplied `slot` at `epoch`.
    [[nodiscard]] bool all_complete(const std::vector<Member>& members, SlotId slot,
                                    Epoch epoch) const;

    // Owners gone for `grace` at `now`.
    [[nodiscard]] std::vector<Orphan> expired(MonoTime now, Duration grace) const;
    void forget(const Orphan& orphan);

    // After a pause of our own: everybody gets the time back.
    void extend(Duration gap);

    [[nodiscard]] std::map<NodeId, SessionLink>& all() {
        return links_;
    }
    [[nodiscard]] const std::map<NodeId, SessionLink>& all() const {
        return links_;
    }

private:
    std::map<NodeId, SessionLink> links_;
    std::vector<Orphan> orphans_;
    std::uint64_t last_session_ = 0;
};

}  // namespace muster::data
