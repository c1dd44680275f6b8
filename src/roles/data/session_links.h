#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/cluster.h"
#include "msg/session_data.h"
#include "roles/data/owners.h"
#include "roles/data/tell_stream.h"

namespace muster::data {

// A service a session wants to be told about, and how what it holds stands to what is held here.
struct Interest {
    enum class Stand : std::uint8_t {
        early,    // in a leader epoch that is not known here yet: told nothing until it is
        waiting,  // not answered yet: told nothing until then
        trunk,    // it has the versions of the datum here
        fork,     // it holds what is not known here: the same changes, in versions of its own
    };
    ServicePtr service;
    std::uint64_t part = 0;  // of the stream that declared it
    msg::InterestDeclare::Item said = {};
    Stand stand = Stand::early;
    bool complete = false;  // its list is all there is
    bool counted = false;   // among the datum's interested
    Version version = {};   // on a fork: what it was told last
    MonoTime since;         // when it was declared
};

// What a data server knows of one session: which life it is in, which stream of changes it reads,
// and what it wants to be told.
struct SessionLink {
    NodeId node;
    Incarnation incarnation;
    store::OwnerId owner;
    MonoTime last_heard;

    TellStream tells{TellLimits{}};
    std::set<std::uint64_t> parts;              // of this stream, already taken
    std::map<std::string, Interest> interests;  // by data_info_id

    // The leader epoch in which the session's digest of a slot was last equal to ours, while it had
    // all its clients.
    std::map<SlotId, Epoch> supplied;

    // Whether the leader of `slot` in `epoch` knows all that clients of the session have there.
    [[nodiscard]] bool has_supplied(SlotId slot, Epoch epoch) const {
        const auto known = supplied.find(slot);
        return known != supplied.end() && known->second == epoch;
    }

    // When a slot's detail was last asked for, in which epoch, and how far it has come: what has
    // smaller ids is compared.
    struct Asked {
        Epoch epoch;
        MonoTime at;
        RegistId after = {};
    };
    std::map<SlotId, Asked> asked;
};

// Why a session is not there.
enum class GoneReason : std::uint8_t {
    closed,  // its process ended
    silent,  // nobody heard from it: it may live behind a cut
};

struct Gone {
    GoneReason reason = GoneReason::silent;
    MonoTime since;
};

// How long to wait for whom.
struct Graces {
    Duration closed;  // for the process that ended: its clients are on their way to others
    Duration silent;  // for one behind a cut
};

// The sessions a data server hears from, and since when others are gone. Loop thread only. Bounds:
// one per session the cluster has.
class SessionLinks {
public:
    SessionLinks(Owners& owners, TellLimits tells) : owners_(owners), tell_limits_(tells) {}

    // The link for a message of (`node`, `incarnation`); none when a later life is known. An
    // unknown or later life begins a new link. One that is back has to supply all slots again: it
    // may have been served by others.
    SessionLink* hear(const NodeId& node, Incarnation incarnation, MonoTime now);

    [[nodiscard]] SessionLink* find(const NodeId& node);
    [[nodiscard]] const SessionLink* find(const NodeId& node) const;

    // What the network, or a missing heartbeat, says; known ones are only made worse.
    void note_gone(const NodeId& node, GoneReason reason, MonoTime now);
    // A link to it came up: whatever process ended before, one is there. It is silent until it is
    // heard.
    void note_up(const NodeId& node, MonoTime now);
    // Sessions had no reason to speak to this node before: their silence counts from now on.
    void forgive_silence(MonoTime now);
    // Nothing when it is there, as far as is known.
    [[nodiscard]] std::optional<Gone> gone(const NodeId& node) const;
    // Notes who has not been heard for `silence`; members never heard of are silent from now on.
    void note_silent(MonoTime now, Duration silence);

    // Who is a member now. One that is no longer, and was not seen to end, may be cut off.
    void learn(const std::vector<Member>& members, MonoTime now);

    // Whether every session of the members, and of those that were, has supplied `slot` in `epoch`,
    // but those gone for longer than `graces`.
    [[nodiscard]] bool all_supplied(SlotId slot, Epoch epoch, MonoTime now,
                                    const Graces& graces) const;

    // Whether anybody who is there has supplied `slot` in `epoch`.
    [[nodiscard]] bool any_supplied(SlotId slot, Epoch epoch) const;

    // Whether all who are there, members or not, have supplied `slot` in `epoch`.
    [[nodiscard]] bool all_heard_supplied(SlotId slot, Epoch epoch) const;

    // After a pause of our own: everybody gets the time back.
    void extend(Duration gap);

    [[nodiscard]] std::map<NodeId, SessionLink>& all() {
        return links_;
    }
    [[nodiscard]] const std::map<NodeId, SessionLink>& all() const {
        return links_;
    }

private:
    Owners& owners_;
    TellLimits tell_limits_;
    std::map<NodeId, SessionLink> links_;
    std::map<NodeId, Gone> gone_;
    std::map<NodeId, Incarnation> members_;  // sessions
    std::map<NodeId, MonoTime> removed_;     // sessions that were members, since when they are not
};

}  // namespace muster::data
