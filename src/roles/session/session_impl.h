#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "roles/node/node_view.h"
#include "roles/session/ask_limits.h"
#include "roles/session/balancer.h"
#include "roles/session/config_watches.h"
#include "roles/session/datum_copies.h"
#include "roles/session/flap_damping.h"
#include "roles/session/handover.h"
#include "roles/session/interest_links.h"
#include "roles/session/open_queries.h"
#include "roles/session/pending_replies.h"
#include "roles/session/push.h"
#include "roles/session/registrations.h"
#include "roles/session/return_roster.h"
#include "roles/session/session.h"
#include "roles/session/stages.h"
#include "roles/session/waiting_room.h"
#include "roles/session/write_queue.h"
#include "store/version_clock.h"

namespace muster::session {

// The reactions of the session, one file per sender: on_client.cc, on_data.cc, on_meta.cc. Every
// reaction ends with flush(), which sends what it left to be sent.
class SessionServer::Impl {
public:
    Impl(SessionOptions options, SessionEnv env);

    void start();
    void stop() {
        roster_.stop();
    }
    void leave(std::function<void()> gone);
    void on_timer(env::TimerKey key);
    void on_disk(env::DiskOpId op, const Result<void>& outcome);
    void on_message(const msg::RoleAddress& from, const msg::ClusterMessage& message);
    void on_link(const NodeId& node, msg::LinkEvent event);

    void on_client_open(env::ConnId conn, ClientInfo info, msg::ClientPort& port);
    void on_client_message(env::ConnId conn, const msg::ClientMessage& message);
    void on_client_drained(env::ConnId conn);
    void on_client_closed(env::ConnId conn);

    [[nodiscard]] const SessionOptions& options() const {
        return options_;
    }
    [[nodiscard]] const node::NodeView& view() const {
        return view_;
    }
    [[nodiscard]] SessionStatus status() const;
    [[nodiscard]] Result<void> admit_query(const std::string& address, const std::string& tenant);
    [[nodiscard]] std::vector<ServerLoad> server_loads() const;
    [[nodiscard]] std::vector<SubscriberInfo> subscribers_of(const Service& service) const;
    [[nodiscard]] std::vector<FlappingInstance> flapping(std::size_t limit) const;
    [[nodiscard]] std::vector<std::string> server_list() const;
    void query_services(std::uint64_t token, const msg::ListServices& query, QueryPort& port);
    void put_config(std::uint64_t token, const Service& key, std::optional<std::string> value,
                    QueryPort& port);
    void write_metrics(MetricsWriter& writer) const;

private:
    void write_holdings(MetricsWriter& writer) const;
    void write_client_counts(MetricsWriter& writer) const;
    void write_flap_counts(MetricsWriter& writer) const;
    void write_refusals(MetricsWriter& writer) const;
    void write_cluster_counts(MetricsWriter& writer) const;
    void write_push_counts(MetricsWriter& writer) const;

    static constexpr const char* kOwnClients = "clients";  // the brake's only key
    static constexpr env::TimerKey kTurnTimer{6};
    static constexpr env::TimerKey kPushTimer{7};

    struct Client {
        ClientInfo info;
        msg::ClientPort* port = nullptr;
        InternedText app;  // as it said when it subscribed last
        std::map<RegistId, ServicePtr> watches;
        MonoTime since;
        std::int64_t since_ms = 0;  // by the wall clock
        bool congested = false;
        bool closed_by_us = false;
    };
    struct Probe {
        Counter registrations;
        Counter unregistrations;
        Counter refused;
        Counter versions_disbelieved;
        Counter versions_doubted;
        Counter closed_publications;
        Counter expired_publications;
        Counter suspected_publications;
        Counter accepted_unacknowledged;
        Counter changes;
        Counter gaps;
        Counter digests_differ;
        Counter superseded;
        Counter streams_restarted;
        Counter pauses_noticed;
        Counter cold_ended_early;
        Counter slots_rerouted;
        Counter served_alone;
        Counter clients_asked_to_go;
        Counter clients_sent_away;
        Counter clients_directed;
        Counter clients_closed_for_balance;
        Counter clients_closed_silent;
    };

    // ---- clients
    void carry_out(const WaitingRoom::Request& request);
    void carry_out(env::ConnId conn, const msg::ClientMessage& message);
    void carry_out(env::ConnId conn, Client& client, const msg::ClientMessage& message);
    void keep_waiting(env::ConnId conn, const msg::ClientMessage& message);
    void on_turn();
    void await_turn();
    void end_client(env::ConnId conn);
    void on(env::ConnId conn, Client& client, const msg::RegisterPublishers& request);
    void on(env::ConnId conn, Client& client, const msg::UnregisterPublishers& request);
    void on(env::ConnId conn, Client& client, const msg::Subscribe& request);
    void on(env::ConnId conn, Client& client, const msg::Unsubscribe& request);
    void on(env::ConnId conn, Client& client, const msg::WatchConfig& request);
    void on(env::ConnId conn, Client& client, const msg::UnwatchConfig& request);
    void on(env::ConnId conn, Client& client, const msg::PushAck& ack);
    [[nodiscard]] static std::string limited_as(env::ConnId conn, const Client& client);
    [[nodiscard]] static std::string host_of(const std::string& address);
    [[nodiscard]] Result<void> check(const Publication& publication, env::ConnId conn) const;
    [[nodiscard]] Result<void> check(env::ConnId conn, const Client& client,
                                     const msg::Subscribe::Item& item, bool once);
    [[nodiscard]] Result<void> check(env::ConnId conn, const Client& client, const Watch& watch,
                                     bool once);
    [[nodiscard]] static Result<void> check_id(const RegistId& id);
    [[nodiscard]] Result<void> check_room(env::ConnId conn, const Client& client) const;
    [[nodiscard]] std::size_t held_by(const Client& client, env::ConnId conn) const;
    void time_sending(const Client& client, const Publication& publication);
    void answer_when_written(env::ConnId conn, msg::RequestReply reply,
                             std::vector<WriteQueue::Op> ops);
    void reply_to(env::ConnId conn, const msg::RequestReply& reply);
    void write_all(std::vector<WriteQueue::Op> ops);
    [[nodiscard]] bool believes(const Client& client, const msg::Subscribe::Item& item);
    [[nodiscard]] bool want(const ServicePtr& service, Version held);
    void unwant(const Service& service);
    void end_subscription(env::ConnId conn, const RegistId& id);
    void arm_push_turn();
    void close_silent();

    // ---- data
    void on(const msg::RoleAddress& from, const msg::PublishBatchReply& reply);
    void on(const msg::RoleAddress& from, const msg::ChangeBatch& batch);
    void on(const msg::RoleAddress& from, const msg::InterestAck& ack);
    void on(const msg::RoleAddress& from, const msg::DataHeartbeat& heartbeat);
    void on(const msg::RoleAddress& from, const msg::SlotDetailRequest& request);
    void on(const msg::RoleAddress& from, const msg::Superseded& news);
    void on(const msg::RoleAddress& from, const msg::NotLeading& answer);
    void on(const msg::RoleAddress& from, const msg::ListServicesReply& reply);
    void fold(const NodeId& leader, const std::variant<DatumChange, DatumSnapshot>& change);
    void note_trace(const DatumChange& change, MonoTime now);
    void declare(const NodeId& leader, const DatumCopy& copy);
    void declare_outrun();
    void restart_stream(const NodeId& leader);
    void beat_data();
    void tell_due_digests();
    void send_beats(std::map<NodeId, msg::SessionHeartbeat> beats);
    void add_digest(std::map<NodeId, msg::SessionHeartbeat>& beats, SlotId id) const;

    // ---- the brake
    void on(const msg::RoleAddress& from, const msg::BrakeRequest& request);
    [[nodiscard]] bool may_go(std::size_t living, MonoTime now);
    void note_suspects(std::size_t publications);
    void forget_held();
    [[nodiscard]] std::vector<msg::BrakeLine> brake_lines() const;

    // ---- instances that flap
    void show_released(MonoTime now);

    // ---- operators
    void on(const msg::RoleAddress& from, const msg::VerifyRequest& request);
    [[nodiscard]] msg::VerifyDetail detail_of(const msg::VerifyRequest::Detail& wish) const;
    void on(const msg::RoleAddress& from, const msg::ReachRequest& request);
    [[nodiscard]] bool congested(env::ConnId conn) const;
    [[nodiscard]] msg::SubscriberLine line_of(const ListKey& key, const List& list,
                                              const DatumCopy& copy) const;

    // ---- metas
    void on(const msg::RoleAddress& from, const msg::NodeHeartbeatReply& reply);
    void on(const msg::RoleAddress& from, const msg::NodeRefused& refused);
    void on(const msg::RoleAddress& from, const msg::ConfigValue& value);
    void on(const msg::RoleAddress& from, const msg::PutTurnReply& reply);
    void on(const msg::RoleAddress& from, const msg::ConfigPutReply& reply);
    void learn(const node::NodeView::News& news);
    void beat_metas();
    void ask_metas();
    void on(const msg::RoleAddress& from, const msg::ViewRequest& request);
    void on(const msg::RoleAddress& from, const msg::ViewReply& told);
    [[nodiscard]] const SlotTable& table() const {
        return view_.table();
    }
    void ask_configs(const msg::ConfigInterest& interest);
    void push_config(const ConfigWatches::Key& key, env::ConnId conn,
                     const std::set<RegistId>& watchers);

    template <typename Other>
    void on(const msg::RoleAddress&, const Other&) {}  // not for this role

    // ---- who serves the slots
    void adopt_table();
    void reroute(const std::vector<SlotRoutes::Change>& changes);
    void serve_alone(const std::set<SlotId>& slots);
    void show_own(const WriteQueue::Op& op);
    void rejoin();
    [[nodiscard]] bool waits_to_rejoin(const DatumCopy& copy) const;

    // ---- leaving
    void on_leave_timer();
    void arm_leaving(Duration delay);
    [[nodiscard]] std::vector<std::string> other_servers() const;

    // ---- balancing
    void balance_clients();
    void send_elsewhere(const Balancer::Step& step);
    [[nodiscard]] std::vector<Balancer::Guest> guests() const;
    [[nodiscard]] std::vector<msg::ClientLoad> loads_in_reach() const;
    [[nodiscard]] bool awaits_push(env::ConnId conn) const;
    [[nodiscard]] bool troubled() const;

    // ---- time
    void arm_tick();
    void arm_retry();
    void notice_pause();
    void expire_all(MonoTime now);
    void flush();
    void end_cold();
    // Who serves it; null: nobody that can be reached.
    [[nodiscard]] const NodeId* server_of(const Service& service) const;

    SessionOptions options_;
    SessionEnv env_;
    std::unordered_map<env::ConnId, Client> clients_;
    ReturnRoster roster_;
    FlapDamping flap_damping_;
    Registrations registrations_;
    ChangeLimits limits_;
    AskLimits subscribe_limits_;
    AskLimits query_limits_;
    WaitingRoom room_;
    store::RemovalBrake brake_;  // of this session's own clients, under one key
    // Why there are suspects, and since when; of the first of them.
    struct Held {
        MonoTime since;
        std::string why;
    };
    std::optional<Held> held_;
    WriteQueue writes_;
    PendingReplies pending_;
    DatumCopies copies_;
    InterestLinks interests_;
    Stages stages_;
    Pusher pusher_;
    ConfigWatches configs_;
    OpenQueries queries_;

    node::NodeView view_;
    SlotRoutes routes_;
    Handover handover_;
    Balancer balancer_;
    std::size_t staying_ = 0;  // connections that are kept: what a load is counted by
    std::function<void()> gone_;
    std::uint64_t next_server_ = 0;
    // Served again after nobody did, or only one that stood in. What diverged meanwhile is asked
    // for, and taken, once all writes up to this one (owner_seq) are acknowledged: what is then
    // told has our own clients' word in it.
    std::map<SlotId, std::uint64_t> rejoining_;
    bool cold_ = true;  // clients of an earlier life may still be on their way
    MonoTime started_;
    MonoTime last_tick_;
    MonoTime closings_forgiven_until_;
    MonoTime last_config_ask_;
    // Slots whose digest the leader is owed: of a new epoch, or not told as complete yet.
    std::set<SlotId> digests_due_;
    std::set<std::string> outrun_;            // copies that are ahead of what their leader tells
    std::map<NodeId, std::uint64_t> rounds_;  // of supply, as data servers told them
    std::uint64_t ticks_ = 0;
    bool deadline_armed_ = false;
    bool turn_armed_ = false;
    bool push_turn_armed_ = false;
    std::optional<MonoTime> retry_at_;
    Probe probe_;
};

}  // namespace muster::session
