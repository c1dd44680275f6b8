#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/time.h"
#include "model/ids.h"
#include "msg/outbox.h"

namespace muster::meta {

struct LivenessOptions {
    Duration lease;  // who is silent for so long is taken for dead
    // How long one sign of a process's end waits for it to be heard again. Longer than the pace of
    // heartbeats: a node whose port refuses some peer still speaks to us.
    Duration sign_wait;
    // A life that was heard after its end had been believed is judged by its lease only, so long:
    // what closes its connections does not end it. A later life of the node is not doubted: the one
    // before did end.
    Duration doubt;
};

// Who was heard when, and the signs that a process ended: our own link to it was closed, or others
// say theirs was. In memory only, learnt anew in every life. Bounded by the caller, who admits
// members. Loop thread only.
class Liveness {
public:
    struct Heard {
        Incarnation incarnation;
        MonoTime last;
        Epoch table_epoch;
        std::uint64_t members_epoch = 0;
        std::uint64_t loads_version = 0;
    };

    explicit Liveness(LivenessOptions options) : options_(options) {}

    // Answers all signs there were against its process.
    void hear(const msg::RoleAddress& who, const Heard& heard);

    void closed(const NodeId& node, MonoTime now);
    void up(const NodeId& node);

    // The peers that `reporter` saw end, all of them; what it no longer names is taken back. That
    // an earlier life ended than one that was heard is no news.
    void report(const NodeId& reporter, const std::vector<msg::NodeHeartbeat::Lost>& lost,
                MonoTime now);

    // We were away, not they: leases and the waiting for an answer to signs begin anew.
    void grant_all(MonoTime now);

    // It is believed dead because of signs, until it is heard.
    void believe_ended(const NodeId& node);

    void forget(const msg::RoleAddress& who);

    // Null: not in this life.
    [[nodiscard]] const Heard* find(const msg::RoleAddress& who) const;
    [[nodiscard]] bool within_lease(const msg::RoleAddress& who, MonoTime now) const;

    // When the signs against the process are to be believed; nothing: there are none that count.
    // Two different signs, our link and another's, are believed at once.
    [[nodiscard]] std::optional<MonoTime> ends_at(const NodeId& node, MonoTime now) const;
    // When the first of them was seen. Requires: ends_at() is something.
    [[nodiscard]] MonoTime first_sign(const NodeId& node) const;

    [[nodiscard]] const std::map<msg::RoleAddress, Heard>& all() const {
        return heard_;
    }

private:
    [[nodiscard]] Incarnation latest_life(const NodeId& node) const;

    struct Process {
        std::optional<MonoTime> closed;
        std::map<NodeId, MonoTime> reports;  // not answered yet
        std::set<NodeId> answered;           // who still says so though it was heard since
        std::optional<Incarnation> believed_ended;
        MonoTime doubted_until;
    };

    LivenessOptions options_;
    std::map<msg::RoleAddress, Heard> heard_;
    std::map<NodeId, Process> processes_;
    std::map<NodeId, std::set<NodeId>> reported_;  // by reporter
};

}  // namespace muster::meta
