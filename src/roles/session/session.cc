#include "roles/session/session.h"

#include <algorithm>

#include "base/hash.h"
#include "roles/session/session_impl.h"

namespace muster::session {
namespace {

constexpr env::TimerKey kTickTimer(1);
constexpr env::TimerKey kDeadlineTimer(2);
constexpr env::TimerKey kRosterTimer(3);
constexpr env::TimerKey kRetryTimer(4);
constexpr env::TimerKey kLeaveTimer(5);

// A gap of our own clock longer than this means that we, not the others, were silent.
constexpr Duration kPauseLimit = std::chrono::seconds(2);
// What closes within this after a pause of ours is taken to have closed because of it.
constexpr Duration kClosingsForgiven = std::chrono::seconds(1);
// So often copies that are ahead of their leader are declared to it again.
constexpr std::uint64_t kOutrunTicks = 4;
constexpr Duration kCopyKept = std::chrono::seconds(60);
constexpr Duration kConfigAskInterval = std::chrono::seconds(5);
constexpr Duration kGapWait = std::chrono::milliseconds(200);
constexpr int kEagerness = 25;
constexpr Duration kRetryMin = std::chrono::milliseconds(1);

}  // namespace

SessionServer::SessionServer(SessionOptions options, SessionEnv env)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(env))) {}
SessionServer::~SessionServer() = default;
void SessionServer::start() {
    impl_->start();
}
void SessionServer::stop() {
    impl_->stop();
}
void SessionServer::leave(std::function<void()> gone) {
    impl_->leave(std::move(gone));
}
void SessionServer::on_client_open(env::ConnId conn, ClientInfo info, msg::ClientPort& port) {
    impl_->on_client_open(conn, std::move(info), port);
}
void SessionServer::on_client_message(env::ConnId conn, const msg::ClientMessage& message) {
    impl_->on_client_message(conn, message);
}
void SessionServer::on_client_drained(env::ConnId conn) {
    impl_->on_client_drained(conn);
}
void SessionServer::on_client_closed(env::ConnId conn) {
    impl_->on_client_closed(conn);
}
const std::string& SessionServer::center() const {
    return impl_->options().center;
}
std::vector<std::string> SessionServer::server_list() const {
    return impl_->server_list();
}
std::vector<ServerLoad> SessionServer::server_loads() const {
    return impl_->server_loads();
}
SessionStatus SessionServer::status() const {
    return impl_->status();
}
Result<void> SessionServer::admit_query(const std::string& address, const std::string& tenant) {
    return impl_->admit_query(address, tenant);
}
std::vector<SubscriberInfo> SessionServer::subscribers_of(const Service& service) const {
    return impl_->subscribers_of(service);
}
void SessionServer::query_services(std::uint64_t token, const msg::ListServices& query,
                                   QueryPort& port) {
    impl_->query_services(token, query, port);
}
void SessionServer::put_config(std::uint64_t token, const Service& key,
                               std::optional<std::string> value, QueryPort& port) {
    impl_->put_config(token, key, std::move(value), port);
}
void SessionServer::write_metrics(MetricsWriter& writer) const {
    impl_->write_metrics(writer);
}
void SessionServer::on_message(const msg::RoleAddress& from, const msg::ClusterMessage& message) {
    impl_->on_message(from, message);
}
void SessionServer::on_link(const NodeId& node, msg::LinkEvent event) {
    impl_->on_link(node, event);
}
const node::NodeView& SessionServer::view() const {
    return impl_->view();
}
void SessionServer::on_timer(env::TimerKey key) {
    impl_->on_timer(key);
}
void SessionServer::on_disk(env::DiskOpId op, const Result<void>& outcome) {
    impl_->on_disk(op, outcome);
}

SessionServer::Impl::Impl(SessionOptions options, SessionEnv env)
    : options_(std::move(options)),
      env_(std::move(env)),
      roster_({.boot = options_.boot,
               .incarnation = options_.incarnation,
               .life_before = options_.life_before,
               .seal_delay = options_.roster_seal_delay},
              {.disk = env_.disk, .timers = env_.timers, .timer = kRosterTimer, .log = env_.log}),
      flap_damping_(options_.flap_damping, env_.log),
      registrations_(&roster_, &flap_damping_),
      limits_(options_.client_changes, options_.tenant_changes),
      subscribe_limits_({.does = "subscribes", .one = "subscription", .setting = "subscribes"},
                        options_.client_subscribes, options_.tenant_subscribes),
      query_limits_({.does = "asks", .one = "question", .setting = "queries"},
                    options_.client_queries, options_.tenant_queries),
      room_(options_.waiting),
      brake_(options_.brake),
      writes_(options_.resend_interval),
      copies_(options_.changes_kept_per_datum,
              hash64(options_.node.raw(), options_.incarnation.raw())),
      interests_(options_.incarnation, kGapWait, options_.resend_interval),
      pusher_(
          options_.push,
          [this](env::ConnId conn) -> msg::ClientPort* {
              const auto client = clients_.find(conn);
              return client == clients_.end() ? nullptr : client->second.port;
          },
          stages_),
      queries_(options_.incarnation),
      view_({.incarnation = options_.incarnation,
             .folder = options_.folder,
             .metas = options_.metas,
             .meta_wait = options_.meta_wait},
            {.outbox = env_.outbox, .log = env_.log, .disk = env_.disk}),
      routes_(options_.unreachable_after),
      handover_(options_.handover),
      balancer_(options_.balance, options_.node, env_.prng) {}

void SessionServer::Impl::start() {
    started_ = env_.clock.mono();
    last_tick_ = started_;
    last_config_ask_ = started_;
    roster_.begin();
    view_.begin(started_);
    beat_metas();
    arm_tick();
}

void SessionServer::Impl::on_message(const msg::RoleAddress& from,
                                     const msg::ClusterMessage& message) {
    notice_pause();
    if (from.role == Role::data) {
        routes_.heard(from.node);
    }
    std::visit([&](const auto& known) { on(from, known); }, message);
    flush();
}

void SessionServer::Impl::on_link(const NodeId& node, msg::LinkEvent event) {
    notice_pause();
    routes_.on_link(node, event, env_.clock.mono());
    view_.on_link(node, event);
    if (event == msg::LinkEvent::closed) {
        beat_metas();  // they shall know, or know already who leads in its stead
    }
    flush();
}

void SessionServer::Impl::on_timer(env::TimerKey key) {
    notice_pause();
    const MonoTime now = env_.clock.mono();
    if (key == kDeadlineTimer) {
        deadline_armed_ = false;
        expire_all(now);
        flush();
        return;
    }
    if (key == kRosterTimer) {
        roster_.on_timer();
        flush();
        return;
    }
    if (key == kRetryTimer) {
        retry_at_.reset();
        flush();
        return;
    }
    if (key == kLeaveTimer) {
        on_leave_timer();
        flush();
        return;
    }
    if (key == kPushTimer) {
        push_turn_armed_ = false;
        pusher_.go_on([this](const Service& service) { return copies_.find(service); }, now);
        flush();
        return;
    }
    if (key == kTurnTimer) {
        on_turn();
        flush();
        return;
    }
    last_tick_ = now;
    ++ticks_;
    learn(view_.use_kept(now));
    if (cold_ && !table().slots.empty() && now - started_ >= options_.return_grace) {
        end_cold();
    }
    reroute(routes_.reconsider(now));
    beat_metas();
    beat_data();
    for (const NodeId& leader : interests_.broken(now)) {
        probe_.streams_restarted.add();
        restart_stream(leader);
    }
    if (ticks_ % kOutrunTicks == 0) {
        declare_outrun();
    }
    expire_all(now);
    balance_clients();
    flush();
    arm_tick();
}

void SessionServer::Impl::on_disk(env::DiskOpId op, const Result<void>& outcome) {
    notice_pause();
    node::NodeView::owns(op) ? view_.on_disk(op, outcome) : roster_.on_disk(op, outcome);
    flush();
}

// Until a meta has answered, often: it may be starting too.
void SessionServer::Impl::arm_tick() {
    const Duration pace = options_.heartbeat_interval;
    env_.timers.arm(kTickTimer, table().slots.empty() ? pace / kEagerness : pace);
}

// Called before anything else is done, whatever woke us.
void SessionServer::Impl::notice_pause() {
    const MonoTime now = env_.clock.mono();
    const Duration gap = now - last_tick_;
    if (gap < kPauseLimit) {
        return;
    }
    // We stood still (SIGSTOP, a frozen machine): what was not heard meanwhile is no sign, and who
    // gave us up for it and closed is on the way back.
    probe_.pauses_noticed.add();
    env_.log.warning("session.paused", {{"gap_ms", to_ms(gap)}});
    registrations_.extend_leases(gap);
    brake_.extend(gap);
    started_ += gap;
    roster_.extend(gap);
    view_.extend(gap);
    routes_.extend(gap);
    handover_.extend(gap);
    balancer_.disturbed(now);
    closings_forgiven_until_ = now + kClosingsForgiven;
    last_tick_ = now;
}

void SessionServer::Impl::expire_all(MonoTime now) {
    pending_.expire(now, [this](env::ConnId conn, const msg::RequestReply& reply) {
        probe_.accepted_unacknowledged.add();
        reply_to(conn, reply);
    });
    for (const ServicePtr& service : pusher_.expire(now)) {
        if (DatumCopy* copy = copies_.find(*service); copy != nullptr) {
            pusher_.offer(*copy, now);
        }
    }
    close_silent();
    stages_.expire(now);
    brake_.sweep(now);
    limits_.sweep(now);
    subscribe_limits_.sweep(now);
    query_limits_.sweep(now);
    const std::size_t suspects = registrations_.suspects();
    auto silent = registrations_.expire_leases(
        now, [&](std::size_t living) { return may_go(living, now); }, options_.suspect_patience);
    if (registrations_.suspects() > suspects) {
        note_suspects(registrations_.suspects() - suspects);
    }
    forget_held();
    probe_.expired_publications.add(silent.size());
    write_all(std::move(silent));
    show_released(now);
    registrations_.forget_old_graves(now);
    queries_.expire(now);
    queries_.ask_again(now, options_.metas, env_.outbox);
    for (const ServicePtr& service : copies_.forget_unwanted(now, kCopyKept)) {
        if (const NodeId* node = server_of(*service); node != nullptr) {
            interests_.drop(*node, service);
        }
    }
    if (configs_.size() > 0 && now - last_config_ask_ >= kConfigAskInterval) {
        ask_configs(configs_.all());
    } else if (configs_.size() > 0) {
        ask_configs(configs_.unanswered());
    }
}

void SessionServer::Impl::flush() {
    const MonoTime now = env_.clock.mono();
    if (cold_ && (view_.greeted() || view_.from_kept()) && roster_.everybody_back()) {
        probe_.cold_ended_early.add();
        end_cold();
    }
    roster_.flush(now);
    view_.flush(now);
    if (routes_.stale()) {
        reroute(routes_.reconsider(now));
    }
    if (!roster_.holds(now)) {
        writes_.send_due(now, {options_.incarnation, routes_, env_.outbox, env_.clock.wall_us()});
    }
    rejoin();
    interests_.send_due(now, env_.outbox);
    tell_due_digests();
    arm_push_turn();
    arm_retry();
    if (!pending_.empty() && !deadline_armed_) {
        deadline_armed_ = true;
        env_.timers.arm(kDeadlineTimer, options_.write_wait / 4);
    }
}

void SessionServer::Impl::end_cold() {
    cold_ = false;
    roster_.cold_ended();
    for (std::size_t i = 0; i < table().slots.size(); ++i) {
        digests_due_.insert(SlotId(static_cast<std::uint16_t>(i)));
    }
    env_.log.info("session.settled", {{"after_ms", to_ms(env_.clock.mono() - started_)}});
}

void SessionServer::Impl::arm_leaving(Duration delay) {
    env_.timers.arm(kLeaveTimer, delay);
}

void SessionServer::Impl::arm_retry() {
    const MonoTime now = env_.clock.mono();
    std::optional<MonoTime> due;
    if (!roster_.holds(now)) {  // else its disk wakes us, or the next tick
        due = writes_.next_due(routes_);
    }
    if (const auto other = interests_.next_due(); other && (!due || *other < *due)) {
        due = other;
    }
    if (due && (!retry_at_ || *due < *retry_at_)) {
        retry_at_ = due;
        env_.timers.arm(kRetryTimer, std::max(*due - now, kRetryMin));
    }
}

const NodeId* SessionServer::Impl::server_of(const Service& service) const {
    const Route* route = routes_.find(service);
    return route == nullptr || route->node == NodeId{} ? nullptr : &route->node;
}

void SessionServer::Impl::put_config(std::uint64_t token, const Service& key,
                                     std::optional<std::string> value, QueryPort& port) {
    queries_.put_config(token, key.data_info_id(), std::move(value), port, options_.metas,
                        env_.clock.mono(), env_.outbox);
}

// This one first, unless it is leaving and others are there.
std::vector<std::string> SessionServer::Impl::server_list() const {
    std::vector<std::string> servers = other_servers();
    if (!handover_.begun() || servers.empty()) {
        servers.insert(servers.begin(), options_.address);
    }
    return servers;
}

SessionStatus SessionServer::Impl::status() const {
    const bool led = !table().slots.empty() &&
                     std::ranges::all_of(table().slots,
                                         [](const Slot& slot) { return slot.leader != NodeId{}; });
    return {.ready = led,
            .settled = led && !cold_,
            .connections = clients_.size(),
            .publications = registrations_.size(),
            .suspects = registrations_.suspects(),
            .departed = registrations_.departed(),
            .damped = registrations_.damped(),
            .braking = brake_.braking(kOwnClients),
            .subscriptions = pusher_.lists().size(),
            .watches = configs_.size(),
            .services_cached = copies_.size(),
            .unacknowledged_writes = writes_.size(),
            .copies_differed = probe_.digests_differ.value(),
            .table_epoch = table().epoch};
}

std::vector<SubscriberInfo> SessionServer::Impl::subscribers_of(const Service& service) const {
    std::vector<SubscriberInfo> infos;
    const ListsOfService* of = pusher_.lists().of(service);
    if (of == nullptr) {
        return infos;
    }
    for (const auto& [key, list] : of->lists) {
        const auto client = clients_.find(key.conn);
        if (client == clients_.end()) {
            continue;
        }
        for (const std::string_view id : list.ids()) {
            infos.push_back({.id = RegistId(std::string(id)),
                             .client_address = client->second.info.address,
                             .door = client->second.info.door,
                             .app = std::string(client->second.app.view()),
                             .scope = key.scope,
                             .zone = std::string(key.zone.view()),
                             .acknowledged = list.acknowledged,
                             .behind = list.waiting() || list.in_flight().raw() != 0});
        }
    }
    return infos;
}

}  // namespace muster::session
