#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/asked_by.h"
#include "roles/data/catch_up.h"
#include "roles/data/data.h"
#include "roles/data/held.h"
#include "roles/data/owners.h"
#include "roles/data/regain.h"
#include "roles/data/session_links.h"
#include "roles/data/slots.h"
#include "roles/data/watchers.h"
#include "roles/node/node_view.h"
#include "store/version_clock.h"

namespace muster::data {

// The reactions of the data server: on_session.cc (writes and heartbeats of sessions), interests.cc
// (what they want), answers.cc (what they are told first), tell.cc (changes), on_meta.cc (tables,
// promotion), stream.cc (to followers), follow.cc (from leaders), beside.cc (what leaders do not
// know), acting.cc (in a leader's stead), regain.cc (slots led by a kept table, whose copies were
// lost), orphans.cc (sessions that went), on_brake.cc (too many at once), report.cc (to metas, and
// whether it has caught up), verify.cc and reach.cc (to operators), on_mark.cc (from them),
// history.cc (what they may ask about later). Every reaction ends with flush(), which tells
// followers, then sessions, what changed in this turn.
class DataServer::Impl {
public:
    Impl(DataOptions options, DataEnv env);

    void start();
    void on_message(const msg::RoleAddress& from, const msg::ClusterMessage& message);
    void on_link(const NodeId& node, msg::LinkEvent event);
    void on_timer(env::TimerKey key);
    void on_disk(env::DiskOpId op, const Result<void>& outcome);
    [[nodiscard]] const node::NodeView& view() const {
        return view_;
    }
    [[nodiscard]] DataStatus status() const;
    void write_metrics(MetricsWriter& writer) const;

private:
    void write_holdings(MetricsWriter& writer) const;
    void write_outcomes(MetricsWriter& writer) const;
    void write_counts(MetricsWriter& writer) const;

    static constexpr env::TimerKey kHeartbeatTimer{1};
    static constexpr env::TimerKey kAckTimer{2};
    // So many effects make one entry of a slot's log, at most: what is streamed stays bounded.
    static constexpr std::size_t kEffectsPerEntry = 1000;

    struct Probe {
        Counter writes_changed;
        Counter writes_refreshed;
        Counter writes_ignored;
        Counter writes_superseded;
        Counter batches_of_others;  // slots this node does not lead
        Counter batches_older;      // sent for an epoch that is over
        Counter batches_newer;      // or not heard of yet
        Counter batches_too_early;
        Counter changes_told;
        Counter snapshots_told;
        Counter streams_ended;
        Counter interests_refused;
        Counter repairs;
        Counter orphans_removed;
        Counter pauses_noticed;
        Counter suspects;
        Counter suspects_removed;
        Counter marked;
        Counter entries_sent;
        Counter entries_resent;
        Counter entries_taken;
        Counter copies_differed;
        Counter images_sent;
        Counter images_taken;
        Counter image_parts_taken;
        Counter promotions;
        Counter actings;
        Counter slots_regained;
        Counter messages_put_off;
        Counter messages_dropped;
        LatencyHistogram follower_lag;
        StageHistogram session_to_leader;
    };
    // What is to be noted of an effect once its version is known.
    struct Remembered {
        std::size_t effect = 0;  // of Written::effects
        PublicationPtr publication;
        HistoryRecord::What what = HistoryRecord::What::registered;
        HistoryRecord::Why why = HistoryRecord::Why::said;
        RemovalCause cause = RemovalCause::left;
        NodeId by;
        std::string asked_by;
        bool visible = false;
    };
    // Effects on one service.
    struct Written {
        ServicePtr service;
        std::vector<store::Effect> effects;
        std::vector<Remembered> remembered;
    };
    // What the messages of one turn did in one slot; why, and who said so.
    struct Turn {
        HistoryRecord::Why why = HistoryRecord::Why::said;
        NodeId by;
        std::string asked_by = {};               // when that is an operator's word
        std::map<std::string, Written> written;  // by data_info_id
        std::vector<msg::Superseded::Item> superseded;
        std::set<std::string> departed;  // of which something left that is not known here
        // When a session got the oldest of what it said, zero: not known. None: said by no session,
        // but decided here.
        std::optional<std::int64_t> got_us = {};
    };
    struct Reported {
        msg::CopyState state;
        MonoTime changed;
    };

    void arm_heartbeat();
    void tick(MonoTime now);
    void notice_pause(MonoTime now);
    void forget_unused();
    void flush();
    void tell_followers_and_sessions();
    // Versions are kept reserved on disk, ahead of use; what waited for that is done.
    void keep_reserve();
    void answer_begun();
    [[nodiscard]] bool put_off(const msg::RoleAddress& from, const msg::ClusterMessage& message);

    // ---- sessions
    void on(const msg::RoleAddress& from, const msg::PublishBatch& batch);
    [[nodiscard]] std::optional<Error> why_refused(const LedSlot* slot,
                                                   const msg::PublishBatch& batch);
    void on(const msg::RoleAddress& from, const msg::InterestDeclare& declare);
    void on(const msg::RoleAddress& from, const msg::InterestDrop& drop);
    void on(const msg::RoleAddress& from, const msg::SessionHeartbeat& heartbeat);
    void on(const msg::RoleAddress& from, const msg::SlotDetail& detail);
    void go_on_comparing(SessionLink& link, const msg::SlotDetail& detail);
    void on(const msg::RoleAddress& from, const msg::ChangesTaken& said);
    void on(const msg::RoleAddress& from, const msg::ListServices& query);
    SessionLink* hear(const NodeId& node, Incarnation life);
    void apply(LedSlot& slot, const SessionLink& link, const msg::PublishBatch::Op& op,
               std::uint64_t said_at, Turn& turn);
    void take(LedSlot& slot, const store::Write& write, Turn& turn);
    [[nodiscard]] bool counts(const store::Write& write, store::WriteOutcome outcome, Turn& turn);
    void add_beside(msg::FollowSlot& ask, FollowedSlot& slot) const;
    void tell_on(SlotId id, FollowedSlot& slot);
    static void note_forked(FollowedSlot& slot);
    static void note_given(FollowedSlot& slot, const store::DatumStore& image);
    void take_given(SlotId id, LedSlot& slot, const std::vector<msg::FollowSlot::Given>& given);
    void take_withdrawn(SlotId id, LedSlot& slot,
                        const std::vector<msg::FollowSlot::Withdrawal>& withdrawn);
    void commit(LedSlot& slot, Turn& turn);
    [[nodiscard]] Trace trace_of(const Turn& turn) const;
    void tell_superseded(const SessionLink& link, Turn& turn);
    void append(LedSlot& slot, store::LogEntry entry);
    void compare(SessionLink& link, const msg::SessionHeartbeat& heartbeat);
    void ask_details();
    void refuse(const SessionLink& link, std::vector<msg::NotLeading::Item> items);

    // ---- what sessions are told
    void answer(LedSlot& slot, SessionLink& link, Interest& interest);
    [[nodiscard]] bool makes_statements(const LedSlot& slot, const Service& service) const;
    void answer_known(LedSlot& slot, SessionLink& link, Interest& interest, bool statement);
    void answer_stray(LedSlot& slot, SessionLink& link, Interest& interest, bool statement);
    void doubt_supply(SlotId id, const LedSlot& slot, SessionLink& link, const Interest& interest);
    void fork_with_all(LedSlot& slot, SessionLink& link, Interest& interest);
    void tell_departed(LedSlot& slot, const std::string& name);
    void tell_whole(LedSlot& slot, SessionLink& link, Interest& interest, bool settled);
    void step(LedSlot& slot, store::DatumStore::Datum& datum);
    void tell(LedSlot& slot, const DatumChange& change);
    [[nodiscard]] static std::optional<SetDigest> digest_told(const LedSlot& slot,
                                                              store::DatumStore::Datum& datum);
    void tell_later(SessionLink& link, TellStream::Told told);
    [[nodiscard]] Version next_version(const LedSlot& slot);
    [[nodiscard]] Version fork_version(LedSlot& slot, const Service& service);
    [[nodiscard]] bool outrun_by_forks(const LedSlot& slot,
                                       const store::DatumStore::Datum& datum) const;
    void answer_waiting(LedSlot& slot);
    void answer_early(const std::vector<SlotId>& begun);
    void clear_doubts(LedSlot& slot);
    void forget_interests(SessionLink& link);
    void uncount(const Interest& interest);
    [[nodiscard]] bool may_settle(SlotId id, const LedSlot& slot) const;
    [[nodiscard]] bool all_supplied(SlotId id, const LedSlot& slot, Duration patience) const;
    [[nodiscard]] bool all_known(SlotId id, const LedSlot& slot) const;
    void settle_if_supplied(SlotId id, LedSlot& slot);
    void settle_all();
    void ask_supply_again(SlotId id, LedSlot& slot);
    void note_given_beside(SlotId id, LedSlot& slot, Version seen);

    // ---- metas
    void heartbeat();
    void on(const msg::RoleAddress& from, const msg::NodeHeartbeatReply& reply);
    void on(const msg::RoleAddress& from, const msg::NodeRefused& refused);
    void on(const msg::RoleAddress& from, const msg::ViewRequest& request);
    void on(const msg::RoleAddress& from, const msg::ViewReply& told);
    void learn(const node::NodeView::News& news);
    void learn_members(const node::NodeView::News& news);
    void adopt_newer_table();
    void doubt_old_copies();
    void take_office(const Slots::Changes& changes);
    [[nodiscard]] std::vector<msg::CopyState> copies_to_report(bool whole);

    // ---- followers of slots led here
    void on(const msg::RoleAddress& from, const msg::FollowSlot& ask);
    void on(const msg::RoleAddress& from, const msg::ImageRequest& ask);
    void on(const msg::RoleAddress& from, const msg::FollowAck& ack);
    void stream(SlotId id, LedSlot& slot);
    void stream_to(const NodeId& node, SlotId id, LedSlot& slot, FollowerLink& follower);
    struct Source {
        const store::DatumStore& store;
        Epoch epoch;
        LogPosition position;
        const std::vector<VersionGap>& gaps;
        bool settled = false;
    };
    static Source source(const LedSlot& slot) {
        return {.store = slot.store,
                .epoch = slot.epoch,
                .position = slot.log.position(),
                .gaps = slot.log.gaps(),
                .settled = slot.settled};
    }
    void send_image_part(const NodeId& node, SlotId id, const Source& slot,
                         const msg::ImageRequest& ask);
    void look_after_followers(MonoTime now);
    void pulse_to(const NodeId& node, std::uint32_t streamed,
                  std::vector<msg::LeaderPulse::Copy> copies = {});
    [[nodiscard]] std::vector<msg::LeaderPulse::Copy> next_compared(const NodeId& node);

    // ---- slots followed here
    void on(const msg::RoleAddress& from, const msg::SlotEntries& message);
    void on(const msg::RoleAddress& from, const msg::SlotImage& part);
    void on(const msg::RoleAddress& from, const msg::LeaderPulse& pulse);
    void hear_leader(const NodeId& node);
    void check_streams(const NodeId& leader, const msg::LeaderPulse& pulse);
    void check_copies(const NodeId& leader, const msg::LeaderPulse& pulse);
    void ask_leaders(MonoTime now);
    void ask_leader(SlotId id, FollowedSlot& slot, MonoTime now);
    void ask_part(SlotId id, FollowedSlot& slot, MonoTime now);
    void install(FollowedSlot& slot, const msg::SlotEntry& entry);
    void install_part(Load& load, const msg::SlotImage& part);
    void owe_ack(SlotId id);
    void send_acks();

    void catch_up();

    // ---- slots led by what was kept, whose copies were lost
    void begin_regain(MonoTime now);
    void look_after_regain(MonoTime now);
    void on(const msg::RoleAddress& from, const msg::CopiesRequest& request);
    void on(const msg::RoleAddress& from, const msg::CopiesReply& reply);
    void lead_again();

    // ---- acting leaders
    [[nodiscard]] LedSlot* serve(SlotId id, bool acting);
    [[nodiscard]] bool may_act(const FollowedSlot& slot) const;
    void end_acting_for(const NodeId& leader);
    void end_interests(const std::vector<SlotId>& ended, bool acting);

    // ---- sessions that went
    void look_after_sessions(MonoTime now);
    [[nodiscard]] bool heirs_known(SlotId id, const LedSlot& slot) const;
    [[nodiscard]] bool holds_orphans(const LedSlot& slot) const;
    void remove_owner(SlotId id, LedSlot& slot, store::OwnerId owner);
    [[nodiscard]] bool ended(store::OwnerId owner) const;
    void disown(LedSlot& slot, const store::DatumStore::Datum& datum,
                const PublicationPtr& publication, std::uint64_t since, RemovalCause cause,
                Turn& turn);
    void drop_nobodys(LedSlot& slot, const ServicePtr& service,
                      const store::DatumStore::Entry& entry, Turn& turn);
    void look_after_unclaimed();
    void drop_unclaimed(SlotId id);

    // ---- the brake
    void on(const msg::RoleAddress& from, const msg::BrakeRequest& request);
    [[nodiscard]] bool may_go(const ServicePtr& service, std::size_t living);
    [[nodiscard]] bool held_back(LedSlot& slot, const SessionLink& link,
                                 const msg::PublishBatch::Op& op, Turn& turn);
    [[nodiscard]] std::size_t living_of(const store::DatumStore::Datum& datum) const;
    void hold(LedSlot& slot, const store::DatumStore::Datum& datum,
              const PublicationPtr& publication, RemovalCause cause, Turn& turn);
    void hold_orphans(LedSlot& slot, store::OwnerId owner, Turn& turn);
    void find_held(LedSlot& slot);
    void forget_heard();
    std::size_t drop_held(HeldService& held, std::optional<MonoTime> now,
                          const OperatorWord& word = {});
    void give_time(HeldService& held, const OperatorWord& word);
    void look_after_held(MonoTime now);
    [[nodiscard]] std::vector<msg::BrakeLine> brake_lines() const;

    // ---- operators
    void on(const msg::RoleAddress& from, const msg::VerifyRequest& request);
    void on(const msg::RoleAddress& from, const msg::VerifySessionReply& reply);
    [[nodiscard]] msg::VerifyReply::Copy copy_of(SlotId id, const LedSlot& slot) const;
    [[nodiscard]] msg::VerifyDetail detail_of(const msg::VerifyRequest::Detail& wish);
    void on(const msg::RoleAddress& from, const msg::NewestRequest& request);
    void on(const msg::RoleAddress& from, const msg::ReachRequest& request);
    void on(const msg::RoleAddress& from, const msg::ReachReply& reply);
    void on(const msg::RoleAddress& from, const msg::MarkRequest& request);
    [[nodiscard]] Result<void> mark(const msg::MarkRequest& request, const NodeId& by,
                                    msg::MarkReply& reply);
    void tell_copies(const LedSlot& slot, const msg::MarkRequest& request,
                     msg::MarkReply& reply) const;
    [[nodiscard]] static Result<std::vector<PublicationPtr>> instances_at(
        const LedSlot& slot, const store::DatumStore::Datum* datum,
        const msg::MarkRequest& request);

    // ---- what becomes of publications, for those who ask later
    void remember(const Turn& turn, Written& written, HistoryRecord::What what,
                  const PublicationPtr& publication, RemovalCause cause = RemovalCause::left);
    void remember_write(const Turn& turn, Written& written, const store::Write& write,
                        const store::DatumStore::Entry& before);
    void record(const Written& written, const std::vector<Version>& versions);
    [[nodiscard]] HistoryRecord::Why why_gone(store::OwnerId owner) const;
    void on(const msg::RoleAddress& from, const msg::HistoryRequest& request);

    template <typename Other>
    void on(const msg::RoleAddress&, const Other&) {}  // not for this role

    DataOptions options_;
    DataEnv env_;
    Slots slots_;
    Owners owners_;
    SessionLinks sessions_;
    Watchers watchers_;
    std::set<NodeId> to_tell_;  // sessions that are told something at the end of the turn
    std::map<NodeId, std::set<SlotId>> details_due_;  // and asked for what they own there
    store::VersionClock versions_;
    node::NodeView view_;
    Regain regain_;
    CatchUp catch_up_;
    std::optional<MonoTime> kept_since_;  // when what was kept was taken for true
    // Messages of sessions that wait for the disk; slots begun meanwhile.
    std::deque<std::pair<msg::RoleAddress, msg::ClusterMessage>> put_off_;
    std::set<SlotId> begun_early_;
    Version reserved_for_;
    std::uint64_t round_ = 0;  // of supply; lives of this node have theirs apart
    MonoTime last_tick_;
    MonoTime last_sweep_;

    std::set<SlotId> written_;          // led slots with entries to stream, of this turn
    std::map<NodeId, MonoTime> heard_;  // data nodes
    std::map<NodeId, Incarnation> leader_lives_;
    std::set<SlotId> acks_due_;
    bool ack_armed_ = false;
    std::uint64_t last_image_ = 0;

    bool report_whole_ = true;
    std::map<SlotId, Reported> reported_;

    // Owners in led slots whose session went, since when; of earlier lives too.
    std::map<store::OwnerId, MonoTime> departed_;
    std::map<SlotId, std::map<store::OwnerId, GoneReason>> absent_;  // as of the last look
    std::map<NodeId, SlotId> compared_;  // the copy of each follower that was compared last
    std::map<SlotId, std::map<RegistId, ServicePtr>> unclaimed_;  // some may be owned again
    store::RemovalBrake brake_;                                   // by service
    HeldServices held_;
    std::string cluster_braking_;  // why the metas want everything held; empty: they do not
    std::uint64_t removals_ = 0;   // that closed or fell silent, held or not
    Probe probe_;
};

}  // namespace muster::data
