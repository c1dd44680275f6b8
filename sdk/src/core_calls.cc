// What any thread may call: checks, handle tables, commands to the client's thread.
#include <algorithm>
#include <random>

#include "core.h"
#include "open_clients.h"

namespace muster::sdk_core {
namespace {

constexpr Duration kJoinGrace = std::chrono::milliseconds(40);
// The registry may need so long beyond the time of a drain until it answers.
constexpr Duration kAnswerGrace = std::chrono::seconds(7);
constexpr const char* kDrain = "drain";

Prng& prng_of_thread() {
    thread_local Prng prng([] {
        std::random_device device;
        return (std::uint64_t{device()} << 32U) | device();
    }());
    return prng;
}

PickTime time_of_pick() {
    using std::chrono::duration_cast;
    const auto wall = std::chrono::system_clock::now().time_since_epoch();
    return {.mono = MonoTime(std::chrono::steady_clock::now().time_since_epoch()),
            .wall = {.unix_ms = duration_cast<std::chrono::milliseconds>(wall).count()}};
}

std::unexpected<Failure> no_such(const char* what, std::uint64_t number) {
    return failed(MUSTER_NOT_FOUND, std::string("no ") + what + " " + std::to_string(number));
}

}  // namespace

Outcome<void> Core::check_usable() const {
    if (fork_count_ != fork_count()) {
        return failed(MUSTER_FORKED, "the client belongs to the parent process; open another one");
    }
    if (closing_) {
        return failed(MUSTER_CLOSED, "the client was closed");
    }
    return {};
}

// Requires: mutex_ is held.
Outcome<void> Core::submit(Command command) {
    if (commands_.size() >= kCommandsMax) {
        return failed(MUSTER_OVER_LIMIT,
                      "at most " + std::to_string(kCommandsMax) + " calls may wait");
    }
    commands_.push_back(std::move(command));
    if (commands_.size() == 1) {
        loop_->post([this] { drain_commands(); });
    }
    return {};
}

Outcome<void> Core::check_may_wait(const char* what) const {
    if (auto usable = check_usable(); !usable) {
        return usable;
    }
    if (on_client_thread()) {
        return failed(MUSTER_WRONG_THREAD, std::string(what) + " waits: not within a callback");
    }
    return {};
}

template <typename Done>
Outcome<void> Core::await(std::unique_lock<std::mutex>& lock, Duration patience, const char* what,
                          Done done) {
    if (auto may = check_may_wait(what); !may) {
        return may;
    }
    ++waiters_;
    const bool is_done = changed_.wait_for(lock, patience, [&] { return closing_ || done(); });
    --waiters_;
    if (auto usable = check_usable(); !usable) {
        return usable;
    }
    if (!is_done) {
        return failed(MUSTER_TIMEOUT,
                      std::string(what) + ": not within " + std::to_string(to_ms(patience)) +
                          " ms; the client is " +
                          (stats_.connection == MUSTER_CONNECTED ? "connected to "
                                                                 : "not connected, trying ") +
                          (stats_.server[0] != '\0' ? stats_.server : "its servers"));
    }
    return {};
}

// ---- the client

Outcome<void> Core::close(Duration patience) {
    if (fork_count_ != fork_count()) {
        return failed(MUSTER_FORKED, "the client belongs to the parent process");
    }
    if (on_client_thread()) {
        return failed(MUSTER_WRONG_THREAD, "a client cannot be closed within its callback");
    }
    std::thread thread;
    bool ended = false;
    {
        std::unique_lock lock(mutex_);
        if (!std::exchange(closing_, true)) {
            changed_.notify_all();  // who waits is told
            loop_->post([this, patience] {
                drain_commands();
                begin_close(patience);
            });
        }
        ended = changed_.wait_for(lock, patience + kJoinGrace, [&] { return ended_; });
        thread.swap(thread_);
    }
    if (thread.joinable()) {
        ended ? thread.join() : thread.detach();
    }
    open_clients_remove(*this);
    if (!ended) {
        return failed(MUSTER_TIMEOUT, "a callback is still running; the thread ends after it");
    }
    return {};
}

void Core::abandon(Duration patience) {
    if (fork_count_ != fork_count()) {
        return;
    }
    quiet_ = true;
    log_relay_.silence();
    loop_->stop();
    std::thread thread;
    bool ended = false;
    {
        std::unique_lock lock(mutex_);
        closing_ = true;
        changed_.notify_all();
        if (!on_client_thread()) {
            ended = changed_.wait_for(lock, patience, [&] { return ended_; });
        }
        thread.swap(thread_);
    }
    if (thread.joinable()) {
        ended ? thread.join() : thread.detach();
    }
}

Outcome<void> Core::await_connected(Duration patience) {
    std::unique_lock lock(mutex_);
    return await(lock, patience, "connect", [&] { return stats_.connection == MUSTER_CONNECTED; });
}

Outcome<muster_stats> Core::stats() {
    const std::lock_guard hold(mutex_);
    if (auto usable = check_usable(); !usable) {
        return std::unexpected(std::move(usable).error());
    }
    muster_stats stats = stats_;
    stats.registrations = registrations_.size();
    stats.subscriptions = subscriptions_.size();
    return stats;
}

// ---- registrations

Outcome<std::uint64_t> Core::add_registration(client::PublicationSpec spec,
                                              muster_registered_fn callback, UserContext& context) {
    const auto handle = std::make_shared<RegistrationHandle>();
    handle->service = spec.service.path();
    handle->on_registered = callback;
    const std::lock_guard hold(mutex_);
    if (auto usable = check_usable(); !usable) {
        return std::unexpected(std::move(usable).error());
    }
    if (registrations_.size() >= registrations_max_) {
        return failed(MUSTER_OVER_LIMIT,
                      "at most " + std::to_string(registrations_max_) + " registrations");
    }
    handle->number = last_number_ + 1;
    auto submitted = submit(
        [this, handle, spec = std::move(spec)]() mutable { do_register(handle, std::move(spec)); });
    if (!submitted) {
        return std::unexpected(std::move(submitted).error());
    }
    handle->context = std::move(context);
    registrations_.emplace(++last_number_, handle);
    return handle->number;
}

void Core::do_register(const std::shared_ptr<RegistrationHandle>& handle,
                       client::PublicationSpec spec) {
    auto id = role_->register_publication(std::move(spec));
    if (!id) {
        answer(*handle, 1, std::unexpected(std::move(id).error()));
        return;
    }
    handle->id = *id;
    by_id_.emplace(std::move(*id), handle);
}

Outcome<void> Core::update(std::uint64_t number, client::PublicationSpec spec) {
    const std::lock_guard hold(mutex_);
    if (auto usable = check_usable(); !usable) {
        return usable;
    }
    const auto found = registrations_.find(number);
    if (found == registrations_.end()) {
        return no_such("registration", number);
    }
    const auto handle = found->second;
    if (spec.service.path() != handle->service) {
        return failed(MUSTER_INVALID_ARGUMENT,
                      "a registration keeps its service, " + handle->service);
    }
    auto submitted = submit(
        [this, handle, spec = std::move(spec)]() mutable { do_update(handle, std::move(spec)); });
    if (submitted) {
        ++handle->wanted;
    }
    return submitted;
}

void Core::do_update(const std::shared_ptr<RegistrationHandle>& handle,
                     client::PublicationSpec spec) {
    if (handle->id == RegistId{}) {  // refused when it was made
        do_register(handle, std::move(spec));
    } else if (auto done = role_->update(handle->id, std::move(spec)); !done) {
        answer(*handle, 0, std::unexpected(std::move(done).error()));
    }
}

Outcome<void> Core::unregister(std::uint64_t number) {
    std::shared_ptr<RegistrationHandle> handle;
    {
        const std::lock_guard hold(mutex_);
        if (auto usable = check_usable(); !usable) {
            return usable;
        }
        const auto found = registrations_.find(number);
        if (found == registrations_.end()) {
            return no_such("registration", number);
        }
        handle = found->second;
        auto submitted = submit([this, handle] {
            by_id_.erase(handle->id);
            if (auto done = role_->unregister(handle->id); !done) {
                log_.debug("client.unregister.unknown", {{"id", handle->id.raw()}});
            }
        });
        if (!submitted) {
            return submitted;
        }
        registrations_.erase(found);
    }
    handle->gate.cancel(on_client_thread());
    return {};
}

Outcome<void> Core::await_registered(std::uint64_t number, Duration patience) {
    std::unique_lock lock(mutex_);
    const auto found = registrations_.find(number);
    if (found == registrations_.end()) {
        if (auto usable = check_usable(); !usable) {
            return usable;
        }
        return no_such("registration", number);
    }
    const auto handle = found->second;
    const std::int64_t wanted = handle->wanted;
    auto done = await(lock, patience, "register",
                      [&] { return handle->answered >= wanted && !handle->will_be_retried; });
    if (done && handle->status != MUSTER_OK) {
        return failed(handle->status, handle->message);
    }
    return done;
}

// ---- lists

Outcome<std::uint64_t> Core::subscribe(client::ListKey key, muster_list_fn callback,
                                       UserContext& context) {
    const auto handle = std::make_shared<SubscriptionHandle>();
    if (key.zone.empty()) {
        key.zone = zone_;
    }
    handle->key = std::move(key);
    handle->on_list = callback;
    const std::lock_guard hold(mutex_);
    if (auto usable = check_usable(); !usable) {
        return std::unexpected(std::move(usable).error());
    }
    if (subscriptions_.size() >= subscriptions_max_) {
        return failed(MUSTER_OVER_LIMIT,
                      "at most " + std::to_string(subscriptions_max_) + " subscriptions");
    }
    handle->number = last_number_ + 1;
    if (auto submitted = submit([this, handle] { do_subscribe(handle); }); !submitted) {
        return std::unexpected(std::move(submitted).error());
    }
    handle->context = std::move(context);
    subscriptions_.emplace(++last_number_, handle);
    return handle->number;
}

void Core::do_subscribe(const std::shared_ptr<SubscriptionHandle>& handle) {
    if (auto done = role_->subscribe(handle->key); !done) {
        log_.error("client.subscribe.failed",
                   {{"service", handle->key.service.path()}, {"why", to_string(done.error())}});
        return;
    }
    HeldList& held = lists_[handle->key];
    held.subscribers.push_back(handle);
    if (held.newest) {
        const ListRef list = held.newest;
        tell(*handle, list);
    }
}

Outcome<void> Core::unsubscribe(std::uint64_t number) {
    std::shared_ptr<SubscriptionHandle> handle;
    {
        const std::lock_guard hold(mutex_);
        if (auto usable = check_usable(); !usable) {
            return usable;
        }
        handle = find_locked(number);
        if (handle == nullptr) {
            return no_such("subscription", number);
        }
        if (auto submitted = submit([this, handle] { do_unsubscribe(handle); }); !submitted) {
            return submitted;
        }
        subscriptions_.erase(number);
    }
    handle->gate.cancel(on_client_thread());
    return {};
}

void Core::do_unsubscribe(const std::shared_ptr<SubscriptionHandle>& handle) {
    const auto held = lists_.find(handle->key);
    if (held == lists_.end() || std::erase(held->second.subscribers, handle) == 0) {
        return;
    }
    if (auto done = role_->unsubscribe(handle->key); !done) {
        log_.warning("client.unsubscribe.failed", {{"why", to_string(done.error())}});
    }
    if (held->second.subscribers.empty()) {
        stale_lists_ -= held->second.newest && held->second.newest->state().stale ? 1U : 0U;
        lists_.erase(held);
    }
}

Outcome<std::uint64_t> Core::find_subscription(const Service& service) {
    const std::lock_guard hold(mutex_);
    if (auto usable = check_usable(); !usable) {
        return std::unexpected(std::move(usable).error());
    }
    const auto found = std::ranges::find_if(
        subscriptions_, [&](const auto& entry) { return entry.second->key.service == service; });
    if (found == subscriptions_.end()) {
        return failed(MUSTER_NOT_FOUND, "no subscription of " + service.path());
    }
    return found->first;
}

std::shared_ptr<SubscriptionHandle> Core::find_locked(std::uint64_t number) const {
    const auto found = subscriptions_.find(number);
    return found != subscriptions_.end() ? found->second : nullptr;
}

Outcome<std::shared_ptr<SubscriptionHandle>> Core::find(std::uint64_t number) const {
    const std::lock_guard hold(mutex_);
    if (auto usable = check_usable(); !usable) {
        return std::unexpected(std::move(usable).error());
    }
    auto handle = find_locked(number);
    if (handle == nullptr) {
        return no_such("subscription", number);
    }
    return handle;
}

Outcome<ListRef> Core::current_list(std::uint64_t number) {
    auto handle = find(number);
    if (!handle) {
        return std::unexpected(std::move(handle).error());
    }
    const std::lock_guard hold((*handle)->mutex);
    if (!(*handle)->list) {
        return failed(MUSTER_NOT_READY,
                      "nothing is known of " + (*handle)->key.service.path() + " yet");
    }
    return (*handle)->list;
}

Outcome<ListRef> Core::await_list(std::uint64_t number, Duration patience) {
    auto handle = find(number);
    if (!handle) {
        return std::unexpected(std::move(handle).error());
    }
    ListRef list;
    std::unique_lock lock(mutex_);
    auto done = await(lock, patience, "first list", [&] {
        const std::lock_guard hold((*handle)->mutex);
        list = (*handle)->list;
        return static_cast<bool>(list);
    });
    if (!done) {
        return std::unexpected(std::move(done).error());
    }
    return list;
}

Outcome<Core::Picked> Core::pick(std::uint64_t number, const muster_pick_options& options) {
    auto handle = find(number);
    if (!handle) {
        return std::unexpected(std::move(handle).error());
    }
    SubscriptionHandle& subscription = **handle;
    std::shared_ptr<const PickTable> table;
    PickRequest request{.policy = options.policy, .any_zone = options.any_zone != 0};
    if (options.key != nullptr) {
        request.key = {static_cast<const char*>(options.key), options.key_size};
    }
    const PickTime now = time_of_pick();
    request.now = now.mono;
    {
        const std::lock_guard hold(subscription.mutex);
        if (!subscription.list) {
            return failed(MUSTER_NOT_READY,
                          "nothing is known of " + subscription.key.service.path() + " yet");
        }
        table = subscription.table;
        if (table == nullptr || table->list().get() != subscription.list.get()) {
            table = std::make_shared<const PickTable>(subscription.list, subscription.key.zone,
                                                      subscription.table.get(), now);
            subscription.table = table;
        }
        request.turn = subscription.turn++;
    }
    const auto index = table->pick(request, prng_of_thread());
    if (!index) {
        return failed(MUSTER_NOT_FOUND, "no usable endpoint of " + subscription.key.service.path() +
                                            " among " + std::to_string(table->list()->count()));
    }
    Picked picked{.list = table->list(), .index = *index, .calls = table->calls(*index)};
    picked.calls->fetch_add(1, std::memory_order_relaxed);
    return picked;
}

// ---- drains

Outcome<msg::MarkOutcome> Core::mark(msg::MarkWish wish, Duration patience) {
    const MonoTime now(std::chrono::steady_clock::now().time_since_epoch());
    const auto call = std::make_shared<MarkCall>();
    call->wish = std::move(wish);
    call->wish.asked_by = asked_by_;
    call->until = now + patience;
    std::unique_lock lock(mutex_);
    if (auto usable = check_may_wait(kDrain); !usable) {
        return std::unexpected(std::move(usable).error());
    }
    if (auto submitted = submit([this, call] { marks_->begin(call); }); !submitted) {
        return std::unexpected(std::move(submitted).error());
    }
    auto done =
        await(lock, patience + kAnswerGrace, kDrain, [&] { return call->outcome.has_value(); });
    if (!done) {
        // What cannot be submitted any more is over with the client.
        static_cast<void>(submit([this, call] { marks_->forget(call); }));
        return std::unexpected(std::move(done).error());
    }
    if (!*call->outcome) {
        return failed(call->outcome->error());
    }
    return **call->outcome;
}

// ---- configuration values

Outcome<std::uint64_t> Core::watch(Service key, muster_config_fn callback, UserContext& context) {
    const auto handle = std::make_shared<WatchHandle>();
    handle->path = key.path();
    handle->key = std::move(key);
    handle->on_config = callback;
    const std::lock_guard hold(mutex_);
    if (auto usable = check_usable(); !usable) {
        return std::unexpected(std::move(usable).error());
    }
    if (watches_.size() >= subscriptions_max_) {
        return failed(MUSTER_OVER_LIMIT,
                      "at most " + std::to_string(subscriptions_max_) + " watches");
    }
    handle->number = last_number_ + 1;
    if (auto submitted = submit([this, handle] { do_watch(handle); }); !submitted) {
        return std::unexpected(std::move(submitted).error());
    }
    handle->context = std::move(context);
    watches_.emplace(++last_number_, handle);
    return handle->number;
}

void Core::do_watch(const std::shared_ptr<WatchHandle>& handle) {
    if (auto done = role_->watch_config(handle->key); !done) {
        log_.error("client.watch.failed",
                   {{"key", handle->path}, {"why", to_string(done.error())}});
        return;
    }
    HeldConfig& held = configs_[handle->key];
    held.watchers.push_back(handle);
    if (held.newest) {
        const client::ConfigState config = *held.newest;
        tell(*handle, config);
    }
}

Outcome<void> Core::unwatch(std::uint64_t number) {
    std::shared_ptr<WatchHandle> handle;
    {
        const std::lock_guard hold(mutex_);
        if (auto usable = check_usable(); !usable) {
            return usable;
        }
        const auto found = watches_.find(number);
        if (found == watches_.end()) {
            return no_such("watch", number);
        }
        handle = found->second;
        if (auto submitted = submit([this, handle] { do_unwatch(handle); }); !submitted) {
            return submitted;
        }
        watches_.erase(found);
    }
    handle->gate.cancel(on_client_thread());
    return {};
}

void Core::do_unwatch(const std::shared_ptr<WatchHandle>& handle) {
    const auto held = configs_.find(handle->key);
    if (held == configs_.end() || std::erase(held->second.watchers, handle) == 0) {
        return;
    }
    if (auto done = role_->unwatch_config(handle->key); !done) {
        log_.warning("client.unwatch.failed", {{"why", to_string(done.error())}});
    }
    if (held->second.watchers.empty()) {
        configs_.erase(held);
    }
}

}  // namespace muster::sdk_core
