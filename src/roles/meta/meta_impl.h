#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "roles/meta/config_watches.h"
#include "roles/meta/copy_table.h"
#include "roles/meta/liveness.h"
#include "roles/meta/load_table.h"
#include "roles/meta/meta.h"
#include "roles/meta/meta_state.h"
#include "roles/meta/put_order.h"

namespace muster::meta {

// The parts of MetaServer: meta.cc (life, agreement, ceiling), on_heartbeat.cc (joining, replies),
// phases.cc (who is dead, who is forgotten), slots.cc (placement), on_operator.cc, on_config.cc,
// on_brake.cc, loads.cc, status.cc.
class MetaServer::Impl final : public raft::ConsensusListener {
public:
    Impl(MetaOptions options, MetaEnv env, raft::Consensus& consensus);

    Result<raft::RecoveryReport> start();
    [[nodiscard]] MetaStatus status() const;
    [[nodiscard]] msg::ClusterReport report() const;
    [[nodiscard]] bool ready() const {
        return leading_ && ceiling_raised_;
    }
    void write_metrics(MetricsWriter& writer) const;
    void leave(std::function<void()> gone);

    void on_heartbeat(const msg::RoleAddress& from, const msg::NodeHeartbeat& heartbeat);
    void on_config_interest(const msg::RoleAddress& from, const msg::ConfigInterest& interest);
    void on_put_turn_request(const msg::RoleAddress& from, const msg::PutTurnRequest& ask);
    void on_config_put(const msg::RoleAddress& from, const msg::ConfigPut& put);
    void on_operator(const msg::RoleAddress& from, const msg::OperatorRequest& request);
    void on_brake(const msg::RoleAddress& from, const msg::BrakeRequest& request);
    void on_link(const NodeId& node, msg::LinkEvent event);
    void on_unknown();
    void on_timer(env::TimerKey key);

    void on_applied(raft::Ticket ticket, raft::LogIndex index, std::string result) override;
    void on_readable(raft::Ticket ticket, raft::LogIndex index) override;
    void on_refused(raft::Ticket ticket, const Error& why) override;
    void on_leadership(bool leads, raft::Term term) override;

private:
    static constexpr env::TimerKey kTick{1};
    static constexpr env::TimerKey kReplies{2};
    static constexpr env::TimerKey kJudge{3};  // a sign of an end is to be believed
    static constexpr env::TimerKey kPlan{4};

    // What a ticket stands for.
    struct JoinOpen {
        msg::RoleAddress who;
    };
    struct AssignOpen {};
    struct RaiseOpen {};
    struct EpochsOpen {};
    struct PutFrom {
        msg::RoleAddress session;
        Incarnation incarnation;
        std::uint64_t request = 0;
    };
    struct PutOpen {
        PutFrom sender;
        std::string key;
        msg::PutTurn turn;
    };
    struct PhasesOpen {
        std::vector<SetPhases::Item> items;
    };
    struct ForgetOpen {};
    struct ModeOpen {};
    struct OperatorOpen {
        PutFrom sender;
        bool report = false;
    };
    struct LeaveOpen {};
    using Open = std::variant<JoinOpen, AssignOpen, RaiseOpen, EpochsOpen, PutOpen, PhasesOpen,
                              ForgetOpen, ModeOpen, OperatorOpen, LeaveOpen>;

    void propose(Open open, const Command& command);
    void close(const Open& open, const Result<Version>& outcome);
    void left(bool another_leads);
    void note_table();
    void notice_pause();
    void tick();
    void keep_ceiling();
    [[nodiscard]] const SlotTable& table() const {
        return state_.table();
    }
    [[nodiscard]] Fence fence() const;

    // on_heartbeat.cc
    [[nodiscard]] bool refuse_other_folder(const msg::RoleAddress& from, const Member& member);
    void refuse_node(const msg::RoleAddress& who, const Member& member, std::string why);
    void take_news(const msg::RoleAddress& from, const msg::NodeHeartbeat& heartbeat);
    void join(const Member& member);
    void heal_epochs(const msg::NodeHeartbeat& heartbeat);
    void reply_to(const msg::RoleAddress& who);
    void reply_soon(const msg::RoleAddress& who);
    void owe_outdated();
    void send_owed_replies();

    // phases.cc
    [[nodiscard]] bool all_heard() const;
    [[nodiscard]] MemberPhase phase_of(const msg::RoleAddress& who, const MemberEntry& entry) const;
    [[nodiscard]] bool may_have_died(const msg::RoleAddress& who, const MemberEntry& entry) const;
    void set_phase(const msg::RoleAddress& who, MemberPhase phase);
    void propose_phases(std::vector<SetPhases::Item> items);
    void judge();
    void judge_soon();
    void note_phases();
    void forget_the_dead();
    void prune_heard();

    // slots.cc
    [[nodiscard]] placement::View placement_view() const;
    void keep_slots(bool even_out = false);
    void plan_soon(Duration delay = Duration::zero());
    void ask_followers_of(const NodeId& leader);
    void answered_how_far(const msg::RoleAddress& who);

    // on_operator.cc
    void answer_operator(const PutFrom& to, Result<void> result,
                         std::shared_ptr<const msg::ClusterReport> report = nullptr);

    // on_brake.cc
    void count_removals(const NodeId& node, const msg::NodeHeartbeat& heartbeat);
    void look_after_brake();
    void tell_data_nodes();
    [[nodiscard]] std::vector<msg::BrakeLine> brake_lines() const;
    [[nodiscard]] std::string braking() const {
        return brake_on_ ? brake_on_->why : std::string();
    }

    // loads.cc
    [[nodiscard]] bool troubled() const;
    void tell_loads();

    // on_config.cc
    void finish_put(const PutOpen& put, const Result<Version>& outcome);
    void answer_put(const PutFrom& to, Result<Version> result);
    void tell_watchers(std::string_view key);

    MetaOptions options_;
    MetaEnv env_;
    raft::Consensus& consensus_;
    MetaState state_;
    Liveness liveness_;
    CopyTable copies_;
    LoadTable loads_;
    ConfigWatches watches_;
    PutOrder put_order_;

    std::function<void()> gone_;  // while this meta leaves
    bool leaving_ = false;
    bool leading_ = false;
    bool ceiling_raised_ = false;  // in this leadership
    MonoTime leading_since_;
    MonoTime last_awake_;
    std::uint64_t last_ticket_ = 0;
    std::map<raft::Ticket, Open> open_;
    std::map<msg::RoleAddress, Member> joining_;
    std::map<msg::RoleAddress, MemberPhase> phasing_;  // proposed, of the present incarnations
    std::size_t puts_open_ = 0;
    std::size_t operators_open_ = 0;
    bool raise_open_ = false;
    bool assign_open_ = false;
    bool epochs_open_ = false;
    bool forget_open_ = false;
    bool mode_open_ = false;
    std::set<msg::RoleAddress> owed_;  // replies for the next turn
    bool tell_outdated_ = false;       // in the next turn too
    // What was sent last, so that it is not said again before the next heartbeat tells more.
    struct Told {
        Epoch table_epoch;
        std::uint64_t members_epoch = 0;
    };
    std::map<msg::RoleAddress, Told> told_;
    Version highest_;  // that a data node said it gave or saw, in this reign

    // Since when members are in their phases, as far as this leader saw it.
    struct InPhase {
        MemberPhase phase = MemberPhase::live;
        MonoTime since;
    };
    std::map<msg::RoleAddress, InPhase> in_phase_;
    std::uint64_t noted_members_ = 0;  // epoch of the members in in_phase_
    std::optional<MonoTime> plan_at_;  // kPlan is armed
    SlotTable noted_table_;            // as copies_ knows it
    // Promotions wait until these said how far they are, at most until then.
    std::set<msg::RoleAddress> how_far_;
    MonoTime how_far_until_;
    std::string protected_why_;
    std::size_t moving_ = 0;

    // What data nodes last said they lead and lost, and what sessions hold; from their heartbeats.
    struct DataCount {
        Incarnation life;
        std::uint64_t publications = 0;
        std::uint64_t removals = 0;
    };
    std::map<NodeId, DataCount> data_counts_;
    std::map<NodeId, std::vector<msg::BrakeLine>> session_brakes_;
    store::RemovalBrake brake_;  // of the whole cluster, under one key
    struct BrakeOn {
        MonoTime since;
        std::string why;
    };
    std::optional<BrakeOn> brake_on_;
    Counter brake_trips_;

    Counter heartbeats_;
    Counter replies_;
    Counter stale_heartbeats_;
    Counter refused_messages_;
    Counter joins_;
    Counter raises_;
    Counter plans_;
    Counter puts_;
    Counter refused_puts_;
    Counter refused_proposals_;
    Counter pauses_;
    Counter deaths_;
    Counter revivals_;
    Counter forgotten_;
    Counter refused_nodes_;
    Counter operator_requests_;
};

}  // namespace muster::meta
