#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "roles/meta/config_watches.h"
#include "roles/meta/heard_table.h"
#include "roles/meta/meta.h"
#include "roles/meta/meta_state.h"
#include "roles/meta/put_order.h"

namespace muster::meta {

// The parts of MetaServer; split over meta.cc (life, ceiling, slots, status), on_heartbeat.cc and
// on_config.cc.
class MetaServer::Impl final : public raft::ConsensusListener {
public:
    Impl(MetaOptions options, MetaEnv env, raft::Consensus& consensus);

    Result<raft::RecoveryReport> start();
    [[nodiscard]] MetaStatus status() const;
    [[nodiscard]] bool ready() const {
        return leading_ && ceiling_raised_;
    }
    void write_metrics(MetricsWriter& writer) const;

    void on_heartbeat(const msg::RoleAddress& from, const msg::NodeHeartbeat& heartbeat);
    void on_config_interest(const msg::RoleAddress& from, const msg::ConfigInterest& interest);
    void on_put_turn_request(const msg::RoleAddress& from, const msg::PutTurnRequest& ask);
    void on_config_put(const msg::RoleAddress& from, const msg::ConfigPut& put);
    void on_unknown();
    void on_timer(env::TimerKey key);

    void on_applied(raft::Ticket ticket, raft::LogIndex index, std::string result) override;
    void on_readable(raft::Ticket ticket, raft::LogIndex index) override;
    void on_refused(raft::Ticket ticket, const Error& why) override;
    void on_leadership(bool leads, raft::Term term) override;

private:
    static constexpr env::TimerKey kTick{1};
    static constexpr env::TimerKey kReplies{2};

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
    using Open = std::variant<JoinOpen, AssignOpen, RaiseOpen, EpochsOpen, PutOpen>;

    void propose(Open open, const Command& command);
    void notice_pause();
    void tick();
    void keep_ceiling();
    void keep_slots();
    [[nodiscard]] const SlotTable& table() const {
        return state_.table();
    }
    [[nodiscard]] Fence fence() const;

    // on_heartbeat.cc
    void join(const Member& member);
    void heal_epochs(const msg::NodeHeartbeat& heartbeat);
    void reply_to(const msg::RoleAddress& who);
    void reply_soon(const msg::RoleAddress& who);
    void reply_to_outdated_soon();
    void send_owed_replies();

    // on_config.cc
    void finish_put(const PutOpen& put, const Result<Version>& outcome);
    void answer_put(const PutFrom& to, Result<Version> result);
    void tell_watchers(std::string_view key);

    MetaOptions options_;
    MetaEnv env_;
    raft::Consensus& consensus_;
    MetaState state_;
    HeardTable heard_;
    ConfigWatches watches_;
    PutOrder put_order_;

    bool leading_ = false;
    bool ceiling_raised_ = false;  // in this leadership
    MonoTime leading_since_;
    MonoTime last_awake_;
    std::uint64_t last_ticket_ = 0;
    std::map<raft::Ticket, Open> open_;
    std::map<msg::RoleAddress, Incarnation> joining_;
    std::size_t puts_open_ = 0;
    bool raise_open_ = false;
    bool assign_open_ = false;
    bool epochs_open_ = false;
    std::set<msg::RoleAddress> owed_;  // replies for the next turn

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
};

}  // namespace muster::meta
