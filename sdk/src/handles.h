#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "list.h"
#include "model/ids.h"
#include "muster/muster.h"
#include "pick_table.h"

namespace muster::sdk_core {

// A user's context with its free function, which is called once when nobody can use it any more.
class UserContext {
public:
    using Free = void (*)(void*);
    UserContext() = default;
    UserContext(void* context, Free free) : context_(context), free_(free) {}
    UserContext(UserContext&& other) noexcept
        : context_(other.context_), free_(std::exchange(other.free_, nullptr)) {}
    UserContext& operator=(UserContext&& other) noexcept {
        std::swap(context_, other.context_);
        std::swap(free_, other.free_);
        return *this;
    }
    UserContext(const UserContext&) = delete;
    UserContext& operator=(const UserContext&) = delete;
    ~UserContext() {
        if (free_ != nullptr) {
            free_(context_);
        }
    }
    [[nodiscard]] void* get() const {
        return context_;
    }
    // The free function will not be called by us.
    void give_back() {
        free_ = nullptr;
    }

private:
    void* context_ = nullptr;
    Free free_ = nullptr;
};

// Lets calls of one user function begin until it is cancelled. call() on the client's thread,
// cancel() on any; after cancel() from another thread no call is running.
class CallGate {
public:
    template <typename Function>
    void call(Function&& function) {
        const std::lock_guard hold(running_);
        if (!cancelled_.load(std::memory_order_acquire)) {
            std::forward<Function>(function)();
        }
    }
    void cancel(bool on_client_thread) {
        cancelled_.store(true, std::memory_order_release);
        if (!on_client_thread) {
            const std::lock_guard wait_for_running(running_);
        }
    }

private:
    std::mutex running_;
    std::atomic<bool> cancelled_{false};
};

// One registration of the user. Guarded by the core's mutex but for `on_registered`, `context` and
// `gate` (constant) and `id` (client's thread).
struct RegistrationHandle {
    std::uint64_t number = 0;
    std::string service;
    muster_registered_fn on_registered = nullptr;
    UserContext context;
    CallGate gate;
    RegistId id;
    std::int64_t wanted = 1;  // states asked for so far; the role's version of the newest
    std::int64_t answered = 0;
    muster_status status = MUSTER_OK;  // of the answered one
    bool will_be_retried = false;      // the client sends it again by itself
    std::string message;
};

// One subscription of the user. `mutex` guards list, table and turn.
struct SubscriptionHandle {
    std::uint64_t number = 0;
    client::ListKey key;
    muster_list_fn on_list = nullptr;
    UserContext context;
    CallGate gate;
    std::mutex mutex;
    ListRef list;
    std::shared_ptr<const PickTable> table;  // of `list`, or of an older one until the next pick
    std::uint64_t turn = 0;
};

// One watch of the user.
struct WatchHandle {
    std::uint64_t number = 0;
    Service key;
    std::string path;
    muster_config_fn on_config = nullptr;
    UserContext context;
    CallGate gate;
};

}  // namespace muster::sdk_core
