#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "env/clock.h"
#include "env/disk.h"
#include "env/timers.h"
#include "history/recorder.h"
#include "model/cluster.h"
#include "msg/outbox.h"
#include "roles/data/tell_stream.h"
#include "roles/node/node_view.h"
#include "store/removal_brake.h"

namespace muster::data {

struct DataOptions {
    NodeId node;
    std::string address;       // "ip:port" for the other roles
    std::string peer_address;  // "ip:port" where other nodes reach it; empty: they cannot
    std::string zone;
    std::uint64_t folder = 0;  // names its data folder
    std::vector<NodeId> metas;
    Incarnation incarnation;

    Duration heartbeat_interval = std::chrono::milliseconds(250);
    // What a session that ended leaves behind is kept for so long: its clients are on their way
    // back (wire/bolt-hessian 4.3: a Java client needs up to 10 s). A slot is not called settled
    // before a session that ended was gone for so long.
    Duration orphan_grace = std::chrono::seconds(10);
    // What a session owns that merely fell silent is held for so long: it may live behind a cut.
    // Nor is a slot called settled before: it may own there what nobody here knows.
    Duration silent_hold = std::chrono::minutes(10);
    // Clients of which another session says that they fell silent, or that its process ended, are
    // not looked for longer than this behind a session that fell silent itself.
    Duration heir_patience = std::chrono::seconds(30);
    // A session not heard for so long is silent, when the network does not say so before.
    Duration session_silence = std::chrono::seconds(1);
    // A leader not heard for so long may be acted for.
    Duration leader_silence = std::chrono::seconds(1);
    // What was asked of a leader, or told a follower, is said again after so long.
    Duration follow_retry = std::chrono::milliseconds(500);
    // A follower that misses some of the log asks at most this often.
    Duration gap_wait = std::chrono::milliseconds(20);
    // A gap of our own clock longer than this means that we, not the others, were silent.
    Duration pause_limit = std::chrono::seconds(2);
    // Digests that differ are looked into at most this often for one slot and session.
    Duration repair_interval = std::chrono::seconds(1);
    // How long the metas may be silent after a start before the kept table is used.
    Duration meta_wait = std::chrono::seconds(1);
    // How long one who holds a slot may not answer its leader that lost its copy.
    Duration regain_patience = std::chrono::seconds(2);
    // How long after its start a node waits for slots it follows to come nearer, before it says
    // that it is ready without them.
    Duration sync_patience = std::chrono::seconds(30);

    // When more publications of a service close or fall silent than these limits, they are held
    // for suspect_patience.
    store::BrakeLimits brake{.window = std::chrono::seconds(10), .count = 10, .percent = 50};
    Duration suspect_patience = std::chrono::seconds(60);

    TellLimits tells = {};
    std::size_t changes_kept_per_slot = 1024;
    std::size_t interests_per_session_max = 2'000'000;
};

// What a role is given to live on.
struct DataEnv {
    env::Clock& clock;
    env::Timers& timers;
    msg::Outbox& outbox;
    Log log;
    env::Disk* disk = nullptr;  // null: nothing of the cluster is kept
    // Told the members whenever other ones are known, also those an earlier life kept.
    std::function<void(const std::vector<Member>&)> on_members = nullptr;
    history::Recorder* history = nullptr;  // null: what becomes of publications is not noted
};

struct DataStatus {
    Epoch table_epoch;
    std::size_t slots_led = 0;
    std::size_t slots_settled = 0;
    std::size_t slots_acting = 0;
    std::size_t slots_followed = 0;
    std::size_t slots_synced = 0;  // of the followed ones
    std::size_t services = 0;
    std::size_t publications = 0;
    std::size_t tombstones = 0;
    std::size_t sessions = 0;
    std::size_t publications_followed = 0;
    std::size_t orphans = 0;           // publications of sessions that ended, in their grace
    std::size_t held = 0;              // publications of sessions that fell silent
    std::size_t unclaimed = 0;         // publications that wait for all to say what they own
    std::size_t suspects = 0;          // publications the brake holds
    std::size_t services_braking = 0;  // services it holds some of
    bool cluster_braking = false;      // the metas want everything held
    std::size_t doubts = 0;            // data of which some session was not told all yet
    std::size_t slots_lost = 0;        // ours by what was kept; their copies are being fetched
    Version latest_version;
    // What keeps the node from being relied on since its start, for people; empty: nothing any
    // more. Who restarts data servers one by one waits for that.
    std::string waits_for;
};

// The DataServer: leader and follower of slots. As a leader it aggregates what sessions own, gives
// every datum its versions, streams the slot's log to its followers, and tells interested sessions
// each change in order. As a follower it keeps a full copy, ready to lead. Everything it holds can
// be supplied again by sessions (design 2.1).
//
//   session --PublishBatch--> apply, version, log --SlotEntries--> followers
//                                                 --ChangeBatch--> interested sessions
//
// A slot is *settled* once every session the metas know has supplied all its clients have, in this
// leader epoch, but those gone for longer than their grace; until then absence means nothing,
// except to whoever knew no more than a copy that was settled before (roles/data/answers.cc).
//
//                 table names us leader            all sessions supplied
//      follows ----------------------> serves ---------------------------> settled
//          ^                             |   ^ newer epoch                   |
//          +--------- table says so -----+---+-------------------------------+
//
// One that comes up without metas, by the table it kept, fetches the slots it led from whoever
// holds them before it leads them again (roles/data/regain.cc).
//
// Owned by the process. Loop thread only. Bounds: see DataOptions, DatumStore and SlotLog.
class DataServer final : public msg::Receiver, public env::TimerTarget, public env::DiskTarget {
public:
    DataServer(DataOptions options, DataEnv env);
    ~DataServer() override;

    // Reads what is kept of the cluster, and begins to talk to the metas.
    void start();

    [[nodiscard]] DataStatus status() const;
    void write_metrics(MetricsWriter& writer) const;

    void on_message(const msg::RoleAddress& from, const msg::ClusterMessage& message) override;
    void on_link(const NodeId& node, msg::LinkEvent event) override;
    void on_timer(env::TimerKey key) override;
    void on_disk(env::DiskOpId op, const Result<void>& outcome) override;

    // What is known of the cluster.
    [[nodiscard]] const node::NodeView& view() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace muster::data
