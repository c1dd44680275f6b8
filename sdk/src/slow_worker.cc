#include "slow_worker.h"

#include <csignal>
#include <system_error>

#include <pthread.h>

namespace muster::sdk_core {

SlowWorker::~SlowWorker() {
    stop(Duration{});
}

bool SlowWorker::add(Job job) {
    {
        const std::lock_guard hold(shared_->mutex);
        if (shared_->stopping || shared_->jobs.size() >= kJobsMax) {
            return false;
        }
        shared_->jobs.push_back(std::move(job));
    }
    if (!thread_.joinable()) {
        // Signals of the program are not for this thread.
        sigset_t all;
        sigset_t before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        try {
            thread_ = std::thread([shared = shared_] { run(*shared); });
        } catch (const std::system_error&) {
            const std::lock_guard hold(shared_->mutex);
            shared_->jobs.clear();
        }
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }
    shared_->changed.notify_all();
    return thread_.joinable();
}

void SlowWorker::run(Shared& shared) {
    pthread_setname_np(pthread_self(), "muster-slow");
    std::unique_lock lock(shared.mutex);
    while (true) {
        shared.changed.wait(lock, [&] { return shared.stopping || !shared.jobs.empty(); });
        if (shared.jobs.empty()) {
            break;
        }
        Job job = std::move(shared.jobs.front());
        shared.jobs.pop_front();
        lock.unlock();
        job();
        job = nullptr;
        lock.lock();
    }
    shared.ended = true;
    shared.changed.notify_all();
}

void SlowWorker::stop(Duration patience) {
    bool ended = false;
    {
        std::unique_lock lock(shared_->mutex);
        shared_->stopping = true;
        shared_->changed.notify_all();
        if (thread_.joinable()) {
            ended = shared_->changed.wait_for(lock, patience, [&] { return shared_->ended; });
        }
    }
    if (thread_.joinable()) {
        ended ? thread_.join() : thread_.detach();
    }
}

}  // namespace muster::sdk_core
