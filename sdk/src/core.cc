#include "core.h"

#include <csignal>
#include <cstring>
#include <random>
#include <system_error>

#include <pthread.h>

#include "model/asked_by.h"
#include "open_clients.h"

namespace muster::sdk_core {
namespace {

constexpr Duration kFindAgainAfter = std::chrono::seconds(1);
constexpr Duration kCacheDelay = std::chrono::milliseconds(200);
// What ends the thread besides waiting for the registry: the files that are being written.
constexpr Duration kTearDownMax = std::chrono::milliseconds(10);

std::uint64_t random_seed() {
    std::random_device device;
    return (std::uint64_t{device()} << 32U) | device();
}

}  // namespace

Core::Core(const Settings& settings)
    : zone_(settings.role.zone),
      asked_by_(asked_by_of(settings.role.app)),
      fork_count_(fork_count()),
      registrations_max_(settings.role.registrations_max),
      subscriptions_max_(settings.role.lists_max),
      log_relay_(settings.log, settings.log_context),
      log_(log_relay_, settings.log_level) {
    muster_stats_init(&stats_);
}

Core::~Core() = default;

Outcome<std::shared_ptr<Core>> Core::open(StartPlan plan) {
    std::shared_ptr<Core> core(new Core(plan.settings));
    if (auto done = core->set_up(std::move(plan.settings)); !done) {
        return std::unexpected(std::move(done).error());
    }
    if (auto done = core->note_file_wishes(std::move(plan.wishes)); !done) {
        return std::unexpected(std::move(done).error());
    }
    open_clients_add(core);
    if (auto done = core->start_thread(); !done) {
        open_clients_remove(*core);
        return std::unexpected(std::move(done).error());
    }
    return core;
}

Outcome<void> Core::set_up(Settings settings) {
    auto finder = ServerFinder::parse(settings.servers);
    if (!finder) {
        return std::unexpected(std::move(finder).error());
    }
    known_servers_ = finder->known();
    places_ = finder->places();
    auto loop = runtime::Loop::create();
    if (!loop) {
        return failed(loop.error());
    }
    loop_ = std::move(*loop);
    runtime::TcpNetOptions net_options{.connections_max = 16};
    net_options.queue_hard_max_bytes = std::size_t{512} << 20U;  // all registrations in one batch
    net_ = std::make_unique<runtime::TcpNet>(*loop_, net_options);
    role_timers_ = std::make_unique<runtime::LoopTimers>(*loop_);
    own_timers_ = std::make_unique<runtime::LoopTimers>(*loop_);
    own_timers_->bind(*this);
    link_ = std::make_unique<FrameLink>(*net_, *loop_, log_);
    settings.role.servers = known_servers_;
    settings.role.id_prefix = random_id();
    role_ = std::make_unique<client::ClientRole>(std::move(settings.role),
                                                 client::ClientEnv{.clock = *loop_,
                                                                   .timers = *role_timers_,
                                                                   .link = *link_,
                                                                   .observer = *this,
                                                                   .prng = Prng(random_seed()),
                                                                   .log = log_});
    role_timers_->bind(*role_);
    link_->bind(*role_);
    marks_.emplace(MarkCalls::Env{
        .clock = *loop_,
        .link = [this] { return role_->link(); },
        .send = [this](client::LinkId link,
                       const msg::MarkWish& wish) { link_->send_mark(link, wish); },
        .answer = [this](const auto& call, auto outcome) { answer(call, std::move(outcome)); }});
    link_->tell_marks_to([this](msg::RequestId id, Result<msg::MarkOutcome> outcome) {
        marks_->take(id, std::move(outcome));
    });
    if (!settings.cache_folder.empty()) {
        cache_.emplace(settings.cache_folder);
        auto loaded = cache_->load();
        for (const auto& problem : loaded.problems) {
            ++stats_.cache_failures;
            log_.warning("client.cache.unusable", {{"why", problem}});
        }
        role_->import_lists(std::move(loaded.lists));
    }
    return {};
}

Outcome<void> Core::note_file_wishes(FileWishes wishes) {
    for (auto& spec : wishes.registrations) {
        UserContext none;
        if (auto done = add_registration(std::move(spec), nullptr, none); !done) {
            return std::unexpected(std::move(done).error());
        }
    }
    for (auto& key : wishes.subscriptions) {
        UserContext none;
        if (auto done = subscribe(std::move(key), nullptr, none); !done) {
            return std::unexpected(std::move(done).error());
        }
    }
    return {};
}

Outcome<void> Core::start_thread() {
    // Signals of the program are not for this thread.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    Outcome<void> outcome;
    try {
        const std::lock_guard hold(mutex_);
        thread_ = std::thread([self = shared_from_this()] { self->run(); });
    } catch (const std::system_error& error) {
        outcome = failed(MUSTER_IO_ERROR, std::string("start a thread: ") + error.what());
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return outcome;
}

// ---- the client's thread

void Core::run() {
    pthread_setname_np(pthread_self(), "muster-sdk");
    thread_id_ = std::this_thread::get_id();
    drain_commands();
    role_->start();
    if (!places_.empty()) {
        find_servers();
    }
    loop_->run();
    tear_down();
}

void Core::tear_down() {
    const bool polite = !quiet_;
    if (polite && cache_) {
        write_cache();
    }
    slow_.stop(kTearDownMax);
    marks_.reset();
    role_.reset();
    link_.reset();
    role_timers_.reset();
    own_timers_.reset();
    net_.reset();
    // What the user's contexts do when they are freed happens without our lock. At the end of a
    // process that did not close they may refer to what is gone: they stay.
    std::map<std::uint64_t, std::shared_ptr<RegistrationHandle>> registrations;
    std::map<std::uint64_t, std::shared_ptr<SubscriptionHandle>> subscriptions;
    std::map<std::uint64_t, std::shared_ptr<WatchHandle>> watches;
    std::vector<Command> commands;
    if (polite) {
        const std::lock_guard hold(mutex_);
        registrations.swap(registrations_);
        subscriptions.swap(subscriptions_);
        watches.swap(watches_);
        commands.swap(commands_);
    }
    if (polite) {
        by_id_.clear();
        lists_.clear();
        configs_.clear();
        registrations.clear();
        subscriptions.clear();
        watches.clear();
        commands.clear();
    }
    const std::lock_guard hold(mutex_);
    stats_.connection = MUSTER_DISCONNECTED;
    ended_ = true;
    changed_.notify_all();
}

void Core::drain_commands() {
    std::vector<Command> commands;
    {
        const std::lock_guard hold(mutex_);
        commands.swap(commands_);
    }
    for (auto& command : commands) {
        command();
        command = nullptr;
    }
    refresh_stats();
}

void Core::begin_close(Duration patience) {
    finishing_ = true;
    role_->unregister_all();
    role_->flush();
    if (state_ != client::ClientState::connected || role_->status().unacknowledged == 0) {
        finish_close();
    } else {
        own_timers_->arm(env::TimerKey(static_cast<std::uint64_t>(Timer::close)), patience);
    }
}

void Core::finish_close() {
    role_->stop();
    loop_->stop();
}

void Core::on_timer(env::TimerKey key) {
    switch (static_cast<Timer>(key.raw())) {
        case Timer::close: finish_close(); break;
        case Timer::find_servers:
            if (state_ != client::ClientState::connected) {
                find_servers();
            }
            break;
        case Timer::write_cache: write_cache(); break;
    }
}

void Core::find_servers() {
    if (finding_ || finishing_) {
        return;
    }
    // The job may outlive the client: it holds no more than a weak pointer to it.
    finding_ = slow_.add([places = places_, weak = weak_from_this()] {
        auto found = ServerFinder::find(places);
        const auto core = weak.lock();
        if (core == nullptr) {
            return;
        }
        core->loop_->post([core = core.get(), found = std::move(found)]() mutable {
            core->finding_ = false;
            for (const auto& problem : found.problems) {
                core->log_.warning("client.servers.problem", {{"why", problem}});
            }
            if (!found.servers.empty()) {
                auto servers = core->known_servers_;
                servers.insert(servers.end(), found.servers.begin(), found.servers.end());
                core->role_->set_servers(std::move(servers));
            }
        });
    });
    own_timers_->arm(env::TimerKey(static_cast<std::uint64_t>(Timer::find_servers)),
                     kFindAgainAfter);
}

void Core::write_cache() {
    if (dirty_.empty()) {
        return;
    }
    std::vector<client::ListSnapshot> lists;
    for (const auto& key : dirty_) {
        const auto held = lists_.find(key);
        if (held != lists_.end() && held->second.newest) {
            const auto& state = held->second.newest->state();
            lists.push_back({.key = key, .view = state.view, .as_of = state.as_of});
        }
    }
    const bool taken =
        slow_.add([cache = *cache_, lists = std::move(lists), weak = weak_from_this()] {
            std::uint64_t written = 0;
            std::uint64_t failures = 0;
            for (const auto& list : lists) {
                ++(cache.save(list) ? written : failures);
            }
            if (const auto core = weak.lock()) {
                const std::lock_guard hold(core->mutex_);
                core->stats_.cache_writes += written;
                core->stats_.cache_failures += failures;
            }
        });
    if (taken) {
        dirty_.clear();
    } else {
        own_timers_->arm(env::TimerKey(static_cast<std::uint64_t>(Timer::write_cache)),
                         kCacheDelay);
    }
}

// ---- what the role tells

void Core::on_list(const client::ListKey& key, const client::ListState& state) {
    const auto held = lists_.find(key);
    if (held == lists_.end()) {
        return;
    }
    const MonoTime received = state.stale ? loop_->mono() : link_->received();
    const ListRef list(new muster_list(key, state, received));
    stale_lists_ -= held->second.newest && held->second.newest->state().stale ? 1U : 0U;
    stale_lists_ += state.stale ? 1U : 0U;
    held->second.newest = list;
    refresh_stats();
    // A callback may subscribe and unsubscribe, but that is done in a later turn.
    for (const auto& subscriber : held->second.subscribers) {
        tell(*subscriber, list);
    }
    if (cache_ && !state.stale && state.view->complete) {
        if (dirty_.empty()) {
            own_timers_->arm(env::TimerKey(static_cast<std::uint64_t>(Timer::write_cache)),
                             kCacheDelay);
        }
        dirty_.insert(key);
    }
}

void Core::tell(SubscriptionHandle& handle, const ListRef& list) {
    {
        ListRef before;  // released without the lock
        const std::lock_guard hold(handle.mutex);
        before = std::exchange(handle.list, list);
    }
    wake_waiters();
    if (handle.on_list != nullptr && !quiet_) {
        handle.gate.call([&] { handle.on_list(handle.context.get(), list.get()); });
    }
    const std::lock_guard hold(mutex_);
    ++stats_.list_updates;
}

void Core::on_config(const Service& key, const client::ConfigState& config) {
    const auto held = configs_.find(key);
    if (held == configs_.end()) {
        return;
    }
    held->second.newest = config;
    for (const auto& watcher : held->second.watchers) {
        tell(*watcher, config);
    }
}

void Core::tell(WatchHandle& handle, const client::ConfigState& config) {
    if (handle.on_config == nullptr || quiet_) {
        return;
    }
    handle.gate.call([&] {
        handle.on_config(handle.context.get(), handle.path.c_str(),
                         config.value != nullptr ? config.value->c_str() : nullptr,
                         config.value != nullptr ? config.value->size() : 0, config.version.raw());
    });
}

void Core::on_state(client::ClientState state, const std::string& server) {
    const bool was_trying =
        state_ == client::ClientState::connecting || state_ == client::ClientState::connected;
    state_ = state;
    {
        const std::lock_guard hold(mutex_);
        stats_.connection = state == client::ClientState::connected    ? MUSTER_CONNECTED
                            : state == client::ClientState::connecting ? MUSTER_CONNECTING
                                                                       : MUSTER_DISCONNECTED;
        const std::size_t size = server.copy(stats_.server, sizeof stats_.server - 1);
        stats_.server[size] = '\0';
        stats_.connects += state == client::ClientState::connected ? 1U : 0U;
        stats_.connections_lost +=
            was_trying && state == client::ClientState::disconnected ? 1U : 0U;
    }
    if (state == client::ClientState::connected) {
        loop_->post([this] {
            if (marks_) {
                marks_->send_again();
            }
        });
    }
    if (state == client::ClientState::disconnected && !places_.empty() && !finding_) {
        own_timers_->arm(env::TimerKey(static_cast<std::uint64_t>(Timer::find_servers)),
                         kFindAgainAfter / 10);
    }
    if (finishing_ && state != client::ClientState::connected &&
        state != client::ClientState::stopped) {
        finish_close();
    }
    wake_waiters();
}

void Core::on_registered(const RegistId& id, std::int64_t version, const Result<void>& result) {
    if (const auto found = by_id_.find(id); found != by_id_.end()) {
        const auto handle = found->second;
        answer(*handle, version, result);
    }
    refresh_stats();
    if (finishing_ && role_->status().unacknowledged == 0) {
        finish_close();
    }
}

void Core::answer(RegistrationHandle& handle, std::int64_t version, const Result<void>& result) {
    const muster_status status = result ? MUSTER_OK : status_of(result.error().code);
    std::string message = result ? std::string() : to_string(result.error());
    if (handle.on_registered != nullptr && !quiet_) {
        handle.gate.call([&] {
            handle.on_registered(handle.context.get(), handle.number, status, message.c_str());
        });
    }
    const std::lock_guard hold(mutex_);
    handle.answered = std::max(handle.answered, version);
    handle.status = status;
    handle.will_be_retried = !result && info(result.error().code).retryable;
    handle.message = std::move(message);
    stats_.refused += result ? 0U : 1U;
    changed_.notify_all();
}

void Core::answer(const std::shared_ptr<MarkCall>& call, Result<msg::MarkOutcome> outcome) {
    const std::lock_guard hold(mutex_);
    call->outcome = std::move(outcome);
    changed_.notify_all();
}

void Core::wake_waiters() {
    const std::lock_guard hold(mutex_);
    if (waiters_ > 0) {
        changed_.notify_all();
    }
}

void Core::refresh_stats() {
    const std::uint64_t unacknowledged = role_->status().unacknowledged;
    const FrameLink::Stats& link = link_->stats();
    const std::lock_guard hold(mutex_);
    stats_.unacknowledged = unacknowledged;
    stats_.lists = lists_.size();
    stats_.stale_lists = stale_lists_;
    stats_.pushes = link.pushes;
    stats_.received_bytes = link.received_bytes;
}

}  // namespace muster::sdk_core
