#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "env/clock.h"
#include "env/timers.h"
#include "model/cluster.h"
#include "msg/outbox.h"
#include "raft/consensus.h"
#include "roles/meta/load_table.h"
#include "roles/placement/placement.h"
#include "store/removal_brake.h"

namespace muster::meta {

struct MetaOptions {
    NodeId node;
    Incarnation incarnation;
    std::uint16_t slot_count = kDefaultSlotCount;  // of a new table; an old one keeps its count
    // How far the version ceiling is raised above the clock.
    Duration version_window = std::chrono::seconds(60);
    Duration tick_interval = std::chrono::milliseconds(250);

    // A member that is silent for so long is taken for dead.
    Duration member_lease = std::chrono::seconds(3);
    // So is one whose process is said to have ended and that is not heard for so long.
    Duration sign_wait = std::chrono::milliseconds(300);
    // Such signs are not believed for so long after they were wrong.
    Duration sign_doubt = std::chrono::seconds(30);
    // A member that is dead for so long is forgotten, unless it leads a slot that nobody can take.
    Duration forget_after = std::chrono::hours(1);

    placement::Options placement;
    // Copies of a data node that is dead or leaves are made elsewhere after so long.
    Duration replace_after = std::chrono::seconds(10);
    // Followers of a leader that died are asked how far they are and have so long to answer.
    Duration promote_wait = std::chrono::milliseconds(100);
    Duration copies_refresh = std::chrono::seconds(10);

    LoadTableOptions loads;
    // While a member that lives was not heard for so long, no clients are moved.
    Duration suspect_after = std::chrono::seconds(1);

    // When more publications of the whole cluster close or fall silent than these limits, data
    // nodes hold all that do.
    store::BrakeLimits brake{.window = std::chrono::seconds(10), .count = 100, .percent = 30};

    std::vector<NodeId> metas = {};  // of the group, for reports

    std::size_t watch_keys_per_session_max = 10'000;
    // Watches of a session that is silent for so many leases are forgotten.
    int watch_leases = 20;
    std::size_t joins_waiting_max = 1024;
    std::size_t puts_waiting_max = 1024;
    std::size_t operators_waiting_max = 256;
};

struct MetaEnv {
    env::Clock& clock;
    env::Timers& timers;
    msg::Outbox& outbox;
    Log log;
};

// A member as operators see it.
struct MemberStatus {
    Member member;
    bool known_before = false;
    bool live = false;  // heard within its lease; what is agreed on is member.phase
    std::optional<Duration> silent_for;  // nothing: not heard in this life of the meta
    std::size_t slots_led = 0;
    std::size_t slots_followed = 0;
    std::uint64_t clients = 0;  // of a session
};

struct MetaStatus {
    bool leads = false;
    bool ready = false;  // leads, and has raised the version ceiling: data nodes are answered
    Epoch table_epoch;
    std::size_t slots = 0;
    std::size_t slots_without_leader = 0;
    std::uint64_t members_epoch = 0;
    Version ceiling;
    std::size_t config_keys = 0;
    std::size_t watches = 0;
    placement::Mode placement = placement::Mode::automatic;
    std::string protected_why;  // why placement holds still; empty: it does not
    std::size_t moving = 0;     // copies on their way
    std::string braking;        // why data nodes hold whatever ends; empty: they do not
    raft::ConsensusStatus consensus;
    std::vector<MemberStatus> members;  // sorted by (node, role)
};

// The MetaServer: who is a member, who leads which slot, how high versions may go, and the
// configuration values. What it says is agreed and durable before; what it hears (leases, watches)
// it keeps in memory and learns anew.
//
//   NodeHeartbeat -> new incarnation? -> member_joined -> consensus -> reply to everybody concerned
//   lease over, link closed, NodeHeartbeat.lost -> set_phases
//   tick -> ceiling near? -> raise_ceiling
//   tick, join, death, copy synced -> placement::plan() -> assign_slots
//   OperatorRequest -> set_placement, wish_leader, remove_member -> OperatorReply
//   PutTurnRequest -> PutTurnReply    ConfigPut, in its turn?
//             -> put_config -> consensus -> ConfigPutReply, ConfigValue to who watches
//
// One of several metas answers, the leading one; the others note what they hear and stay silent.
//
// Owned by the process; lives until it ends. Loop thread only. Bounds: MetaOptions and
// command_codec.h; what is over a bound is refused, counted and, where a message can say it, told.
// Invariants: 1. replies carry agreed state only; 2. no data node is answered before this life has
// raised the ceiling; 3. a life of a node is always told the same `known_before`; 4. a node whose
// id is in use by another data folder is refused and changes nothing.
class MetaServer final : public msg::Receiver, public env::TimerTarget {
public:
    // `consensus` must outlive this and not be started by anybody else.
    MetaServer(MetaOptions options, MetaEnv env, raft::Consensus& consensus);
    ~MetaServer() override;

    // Recovers from disk before it returns; serves as soon as the consensus has a leader. Requires:
    // called once. Errors: those of raft::Consensus::start().
    [[nodiscard]] Result<raft::RecoveryReport> start();

    [[nodiscard]] MetaStatus status() const;
    // The cluster as this meta knows it; what was agreed may be older where it does not lead.
    [[nodiscard]] msg::ClusterReport report() const;
    [[nodiscard]] bool ready() const;
    void write_metrics(MetricsWriter& writer) const;

    // The process is about to end: hands the leadership to another meta, if it has it, then calls
    // `gone` once, also when nobody took over; within the bound of raft::Consensus::stop().
    // Serves until then. Called again: no effect.
    void leave(std::function<void()> gone);

    void on_message(const msg::RoleAddress& from, const msg::ClusterMessage& message) override;
    void on_link(const NodeId& node, msg::LinkEvent event) override;
    void on_timer(env::TimerKey key) override;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace muster::meta
