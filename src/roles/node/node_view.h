#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "env/disk.h"
#include "model/cluster.h"
#include "msg/outbox.h"
#include "roles/node/view_codec.h"

namespace muster::node {

struct NodeViewOptions {
    Incarnation incarnation;
    std::uint64_t folder = 0;
    std::vector<NodeId> metas;

    // How long the metas may be silent after the start before what is kept is used.
    Duration meta_wait = std::chrono::seconds(1);
    Duration write_interval = std::chrono::seconds(1);
    // Questions to the metas beside the steady heartbeat are at least so far apart.
    Duration ask_interval = std::chrono::milliseconds(20);
    // A meta that refuses this node for so long, while none lets it in, means it.
    Duration refused_for_good = std::chrono::seconds(10);
    // Versions are reserved on disk this far ahead of the highest one given: 16 s of physical time.
    std::uint64_t reserve_ahead = std::uint64_t{16'000} << kVersionCountBits;
};

struct NodeViewEnv {
    msg::Outbox& outbox;
    Log log;
    env::Disk* disk = nullptr;  // of the role; null: nothing is kept
};

// What a data or session node knows of the cluster: slot table, members, the version ceiling, and
// who leads the metas. It is told by the metas' answers to heartbeats and kept on the node's disk,
// so that the node comes up with it when no meta answers (design 4).
//
//            first answer                        newer answers
//   waiting -------------> told -----------------------+--> told
//      |                    ^
//      | silence > meta_wait, and something is kept
//      +---------> kept ----+ first answer
//
// Owned by a role, which shares its disk with it: owns() tells whose operation was reported. Loop
// thread only.
// Invariants: 1. epochs of table and members never fall in one life; 2. one write at a time, and
// not more often than write_interval; 3. reserved() is on disk; 4. what is older than what is used
// is ignored, counted and said, at most once in kSayAgain.
// Bounds: one file, of the table and the members as the metas bound them.
class NodeView {
public:
    // What an answer of a meta brought.
    struct News {
        bool answered = false;  // it was meant for this life
        bool first = false;     // of this life
        bool table = false;
        bool members = false;
        bool loads = false;
    };

    NodeView(NodeViewOptions options, NodeViewEnv env);

    // Reads what is kept.
    void begin(MonoTime now);

    // What the network knows of another node: who ended is told the metas with every beat until it
    // is up again or no member any more.
    void on_link(const NodeId& node, msg::LinkEvent event);

    // Sends `heartbeat` with what this node knows to every meta: the leading one answers. The
    // caller fills in member, copies and what else it has to say.
    void beat(const msg::NodeHeartbeat& heartbeat);

    // Whether a question besides the steady heartbeat is due; notes that it is asked now.
    [[nodiscard]] bool may_ask(MonoTime now);

    News take(const NodeId& meta, const msg::NodeHeartbeatReply& reply, MonoTime now);
    void take(const msg::NodeRefused& refused, MonoTime now);

    // Another node has shown that it knows a newer table. When our own metas have been silent for
    // kMetasSilent (they may be cut off from us only), it is asked for that, one within that time.
    void ask(const msg::RoleAddress& of, MonoTime now);
    // Answers unless what the asker has is as new.
    void answer(const msg::RoleAddress& to, const msg::ViewRequest& request) const;
    // What `peer` was told by the metas; never `answered`. Nothing before our own metas have
    // answered, or what is kept was taken: they tell who we are.
    News take(const NodeId& peer, const msg::ViewReply& told, MonoTime now);

    // To be asked at every tick. What is kept is taken when the metas have been silent since the
    // start; tells what that brought (never `answered`).
    News use_kept(MonoTime now);

    // At the end of a turn: writes what changed, when it is time.
    void flush(MonoTime now);
    // Whether `op` is one of this view.
    [[nodiscard]] static bool owns(env::DiskOpId op) {
        return op.raw() >= kFirstOp;
    }
    void on_disk(env::DiskOpId op, const Result<void>& outcome);

    // After a pause of our own.
    void extend(Duration gap);

    [[nodiscard]] const SlotTable& table() const {
        return now_.table;
    }
    [[nodiscard]] const std::vector<Member>& members() const {
        return now_.members;
    }
    [[nodiscard]] std::uint64_t members_epoch() const {
        return now_.members_epoch;
    }
    [[nodiscard]] const Member* find(const NodeId& node, Role role) const;
    // Clients of the sessions, as a meta told last; kept in memory only.
    [[nodiscard]] const msg::ClientLoads& loads() const {
        return loads_;
    }
    [[nodiscard]] Version ceiling() const {
        return now_.ceiling;
    }

    // ---- versions across lives (docs/adr/0007)

    // Versions up to `highest` are given: keeps more of them reserved, below the ceiling.
    void reserve(Version highest);
    // Versions may be given below this one.
    [[nodiscard]] Version reserved() const {
        return durable_reserved_;
    }
    // The same, but for a disk that fails: while the metas answer a node does not end its service
    // for what only a start without them would need.
    [[nodiscard]] Version may_give_below() const {
        return failed_ && greeted_ ? now_.reserved : durable_reserved_;
    }
    // Every version this node gave in earlier lives is below this one.
    [[nodiscard]] Version reserved_before() const {
        return reserved_before_;
    }

    // ---- the metas

    // A meta has answered in this life.
    [[nodiscard]] bool greeted() const {
        return greeted_;
    }
    // What is used is what an earlier life kept; no meta has answered yet.
    [[nodiscard]] bool from_kept() const {
        return from_kept_;
    }
    // Something is kept that may have to be used yet.
    [[nodiscard]] bool keeps_in_store() const {
        return kept_.has_value();
    }
    // Who answered last; empty: nobody.
    [[nodiscard]] const NodeId& leader() const {
        return leader_;
    }
    // Since the last answer, or the start.
    [[nodiscard]] Duration silence(MonoTime now) const {
        return now - heard_;
    }
    // Set when the metas will not have this node: it should say so and end.
    [[nodiscard]] std::optional<Error> refused(MonoTime now) const;

    [[nodiscard]] const Counter& write_failures() const {
        return failures_;
    }
    // Slot tables that were offered and older than the one that is used: ignored.
    [[nodiscard]] const Counter& older_tables() const {
        return older_tables_;
    }

private:
    static constexpr std::uint64_t kFirstOp = std::uint64_t{1} << 63;
    static constexpr Duration kMetasSilent = std::chrono::seconds(1);
    static constexpr Duration kSayAgain = std::chrono::minutes(1);

    [[nodiscard]] Result<KeptView> load() const;
    void raise_ceiling(Version ceiling);
    [[nodiscard]] bool adopt(std::uint64_t epoch, const std::vector<Member>& members);
    [[nodiscard]] bool adopt(const NodeId& from, const SlotTable& table, MonoTime now);
    void note_older(const NodeId& from, Epoch offered, MonoTime now);
    // The latest that is known; zero: of no member.
    [[nodiscard]] Incarnation life_of(const NodeId& node) const;

    NodeViewOptions options_;
    NodeViewEnv env_;
    KeptView now_;
    msg::ClientLoads loads_;
    std::optional<KeptView> kept_;  // until it is used, or a meta answers
    Version durable_reserved_;
    Version reserved_before_;
    // Nodes whose process ended, and in which life, as far as is known; only such as a link was
    // looked for to.
    std::map<NodeId, Incarnation> lost_;
    bool greeted_ = false;
    bool from_kept_ = false;
    NodeId leader_;
    MonoTime started_;
    MonoTime heard_;
    MonoTime asked_;
    MonoTime asked_peer_;
    struct Refusal {
        Error why;
        MonoTime since;
    };
    std::optional<Refusal> refusal_;
    bool changed_ = false;
    bool writing_ = false;
    bool failed_ = false;  // the last write
    Version writing_reserved_;
    std::optional<MonoTime> wrote_;
    std::uint64_t last_op_ = kFirstOp;
    Counter failures_;
    Counter older_tables_;
    std::optional<MonoTime> older_said_;
};

}  // namespace muster::node
