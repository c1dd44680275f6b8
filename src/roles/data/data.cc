#include "roles/data/data.h"

#include "roles/data/data_impl.h"

namespace muster::data {
namespace {

constexpr int kEagerness = 25;
constexpr unsigned kRoundBits = 20;
constexpr std::size_t kPutOffMax = 4096;
constexpr Duration kSweepInterval = std::chrono::seconds(5);
// Of those that went: when very many did at once, a tick takes some milliseconds for them.
constexpr std::size_t kForgottenPerTick = 5000;

// It changes nothing, and is answered with what is here, or passed on.
bool is_question(const msg::ClusterMessage& message) {
    return std::holds_alternative<msg::VerifyRequest>(message) ||
           std::holds_alternative<msg::VerifySessionReply>(message) ||
           std::holds_alternative<msg::NewestRequest>(message) ||
           std::holds_alternative<msg::HistoryRequest>(message) ||
           std::holds_alternative<msg::ReachRequest>(message) ||
           std::holds_alternative<msg::ReachReply>(message);
}

}  // namespace

DataServer::DataServer(DataOptions options, DataEnv env)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(env))) {}
DataServer::~DataServer() = default;
void DataServer::start() {
    impl_->start();
}
DataStatus DataServer::status() const {
    return impl_->status();
}
void DataServer::write_metrics(MetricsWriter& writer) const {
    impl_->write_metrics(writer);
}
void DataServer::on_message(const msg::RoleAddress& from, const msg::ClusterMessage& message) {
    impl_->on_message(from, message);
}
void DataServer::on_link(const NodeId& node, msg::LinkEvent event) {
    impl_->on_link(node, event);
}
void DataServer::on_timer(env::TimerKey key) {
    impl_->on_timer(key);
}
void DataServer::on_disk(env::DiskOpId op, const Result<void>& outcome) {
    impl_->on_disk(op, outcome);
}
const node::NodeView& DataServer::view() const {
    return impl_->view();
}

DataServer::Impl::Impl(DataOptions options, DataEnv env)
    : options_(std::move(options)),
      env_(std::move(env)),
      slots_(options_.node, options_.changes_kept_per_slot),
      sessions_(owners_, options_.tells),
      view_({.incarnation = options_.incarnation,
             .folder = options_.folder,
             .metas = options_.metas,
             .meta_wait = options_.meta_wait},
            {.outbox = env_.outbox, .log = env_.log, .disk = env_.disk}),
      regain_({.retry = options_.follow_retry, .patience = options_.regain_patience}),
      catch_up_(options_.sync_patience),
      brake_(options_.brake) {
    versions_.set_limit(view_.reserved());
}

void DataServer::Impl::start() {
    round_ = (options_.incarnation.raw() << kRoundBits) + 1;
    last_tick_ = env_.clock.mono();
    last_sweep_ = last_tick_;
    view_.begin(last_tick_);
    versions_.set_limit(view_.reserved());
    heartbeat();
    arm_heartbeat();
}

// Until a meta has answered, often: it may be starting too.
void DataServer::Impl::arm_heartbeat() {
    const Duration pace = options_.heartbeat_interval;
    env_.timers.arm(kHeartbeatTimer, slots_.table().slots.empty() ? pace / kEagerness : pace);
}

void DataServer::Impl::on_message(const msg::RoleAddress& from,
                                  const msg::ClusterMessage& message) {
    notice_pause(env_.clock.mono());
    if (!put_off(from, message)) {
        std::visit([&](const auto& known) { on(from, known); }, message);
    }
    flush();
}

// Until it is clear which slots are ours, and while we fetch the copies of them, sessions hear
// nothing of us: so they turn to others who hold them. What needs a version while more of them are
// being reserved waits for the disk.
bool DataServer::Impl::put_off(const msg::RoleAddress& from, const msg::ClusterMessage& message) {
    if (from.role != Role::session || is_question(message)) {
        return false;
    }
    if ((slots_.table().slots.empty() && view_.keeps_in_store()) || !slots_.lost().empty()) {
        return true;
    }
    if (put_off_.empty() && !versions_.awaits_limit()) {
        return false;
    }
    if (put_off_.size() >= kPutOffMax) {
        probe_.messages_dropped.add();  // said again by whoever gets no answer
    } else {
        probe_.messages_put_off.add();
        put_off_.emplace_back(from, message);
    }
    return true;
}

void DataServer::Impl::keep_reserve() {
    if (versions_.latest() != reserved_for_ || versions_.exhausted()) {
        reserved_for_ = versions_.latest();
        view_.reserve(std::max(reserved_for_, versions_.drawn(env_.clock.wall())));
    }
    versions_.set_limit(view_.may_give_below());
}

void DataServer::Impl::flush() {
    keep_reserve();
    tell_followers_and_sessions();
    ask_details();
    view_.flush(env_.clock.mono());
}

void DataServer::Impl::on_disk(env::DiskOpId op, const Result<void>& outcome) {
    notice_pause(env_.clock.mono());
    view_.on_disk(op, outcome);
    keep_reserve();
    if (!versions_.exhausted()) {
        answer_begun();
        for (auto& [from, message] : std::exchange(put_off_, {})) {
            std::visit([&](const auto& known) { on(from, known); }, message);
        }
        settle_all();
    }
    catch_up();
    flush();
}

void DataServer::Impl::answer_begun() {
    std::vector<SlotId> begun;
    for (const SlotId id : std::exchange(begun_early_, {})) {
        if (slots_.find(id) != nullptr) {
            begun.push_back(id);
        }
    }
    answer_early(begun);
}

void DataServer::Impl::on_link(const NodeId& node, msg::LinkEvent event) {
    const MonoTime now = env_.clock.mono();
    notice_pause(now);
    view_.on_link(node, event);
    switch (event) {
        case msg::LinkEvent::up: sessions_.note_up(node, now); break;
        case msg::LinkEvent::silent: sessions_.note_gone(node, GoneReason::silent, now); break;
        case msg::LinkEvent::closed:
            sessions_.note_gone(node, GoneReason::closed, now);
            regain_.ended(node);
            // The metas promote the copy that is furthest: they shall know how far ours are.
            report_whole_ = true;
            heartbeat();
            break;
    }
    flush();
}

void DataServer::Impl::on_timer(env::TimerKey key) {
    const MonoTime now = env_.clock.mono();
    notice_pause(now);
    if (key == kAckTimer) {
        send_acks();
    } else {
        tick(now);
        arm_heartbeat();
    }
    flush();
}

void DataServer::Impl::tick(MonoTime now) {
    last_tick_ = now;
    learn(view_.use_kept(now));
    look_after_regain(now);
    heartbeat();
    look_after_sessions(now);
    look_after_held(now);
    settle_all();
    if (!versions_.exhausted()) {
        answer_begun();
        for (auto& [id, slot] : slots_.led()) {
            answer_waiting(*slot);
        }
    }
    look_after_followers(now);
    ask_leaders(now);
    catch_up();
    slots_.sweep(now, kForgottenPerTick);
    if (now - last_sweep_ >= kSweepInterval) {
        last_sweep_ = now;
        forget_unused();
    }
}

// Of data nobody publishes or asks for the leader says when they are forgotten.
void DataServer::Impl::forget_unused() {
    for (auto& [id, slot] : slots_.led()) {
        if (slot->acting) {
            continue;
        }
        for (const ServicePtr& service : slot->store.unused()) {
            const Version last = slot->store.find(*service)->version;
            slot->store.forget(*service);
            append(*slot, {.service = service, .from = last, .to = {}, .effects = {}});
        }
    }
}

void DataServer::Impl::notice_pause(MonoTime now) {
    const Duration gap = now - last_tick_;
    if (gap < options_.pause_limit) {
        return;
    }
    // We stood still (SIGSTOP, a frozen machine): what was not heard meanwhile is no sign.
    probe_.pauses_noticed.add();
    env_.log.warning("data.paused", {{"gap_ms", to_ms(gap)}});
    if (gap >= options_.leader_silence) {
        ++round_;
        for (auto& [id, slot] : slots_.led()) {
            ask_supply_again(id, *slot);
        }
        for (auto& [id, slot] : slots_.followed()) {
            slot->doubt();
        }
    }
    sessions_.extend(gap);
    view_.extend(gap);
    regain_.extend(gap);
    catch_up_.extend(gap);
    if (kept_since_) {
        *kept_since_ += gap;
    }
    for (auto& [node, heard] : heard_) {
        heard += gap;
    }
    for (auto& [owner, since] : departed_) {
        since += gap;
    }
    brake_.extend(gap);
    for (auto& [name, held] : held_) {
        for (auto& [id, until] : held.until) {
            until += gap;
        }
    }
    last_tick_ = now;
}

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::ListServices& query) {
    msg::ListServicesReply reply{.query = query.query, .settled = true};
    std::map<std::string, const store::DatumStore::Datum*> found;
    const std::size_t limit =
        std::min<std::size_t>(std::max<std::uint32_t>(query.limit, 1), 10'000);
    for (const auto& [id, slot] : slots_.led()) {
        reply.settled = reply.settled && slot->settled;
        const auto& data = slot->store.data();
        for (auto item = data.upper_bound(query.after); item != data.end(); ++item) {
            const auto& [name, datum] = *item;
            if (datum.entries.empty() || name.find(query.contains) == std::string::npos) {
                continue;
            }
            found.emplace(name, &datum);
            if (found.size() > limit + 1) {
                found.erase(std::prev(found.end()));
            }
        }
    }
    for (const auto& [name, datum] : found) {
        if (reply.services.size() == limit) {
            reply.more = true;
            break;
        }
        reply.services.push_back({.data_info_id = name,
                                  .publications = static_cast<std::uint32_t>(datum->entries.size()),
                                  .version = datum->version});
    }
    env_.outbox.send(from, std::move(reply));
}

}  // namespace muster::data
