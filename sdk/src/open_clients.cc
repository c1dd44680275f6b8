#include "open_clients.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <vector>

#include <pthread.h>

#include "core.h"

namespace muster::sdk_core {
namespace {

constexpr Duration kExitPatience = std::chrono::milliseconds(50);

struct OpenClients {
    std::mutex mutex;
    std::vector<std::shared_ptr<Core>> cores;
};

std::atomic<std::uint64_t> forks{0};

// Never destroyed: threads that were left behind may still look.
OpenClients& open_clients() {
    static auto* clients = new OpenClients;
    return *clients;
}

void at_exit() {
    std::vector<std::shared_ptr<Core>> cores;
    {
        const std::lock_guard hold(open_clients().mutex);
        cores = open_clients().cores;
    }
    for (const auto& core : cores) {
        core->abandon(kExitPatience);
    }
}

}  // namespace

std::uint64_t fork_count() {
    return forks.load(std::memory_order_relaxed);
}

void open_clients_add(std::shared_ptr<Core> core) {
    static std::once_flag once;
    std::call_once(once, [] {
        std::atexit(at_exit);
        pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
    });
    const std::lock_guard hold(open_clients().mutex);
    open_clients().cores.push_back(std::move(core));
}

void open_clients_remove(const Core& core) {
    std::shared_ptr<Core> removed;  // released without the lock
    const std::lock_guard hold(open_clients().mutex);
    auto& cores = open_clients().cores;
    const auto found = std::ranges::find(cores, &core, &std::shared_ptr<Core>::get);
    if (found != cores.end()) {
        removed = std::move(*found);
        cores.erase(found);
    }
}

}  // namespace muster::sdk_core
