#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "base/time.h"

namespace muster::sdk_core {

// A thread for what may block (names, files), started by the first job, so that the client's thread
// never does. Jobs own all they need: a job that does not end in time is left behind. Calls by one
// thread. Bounds: kJobsMax waiting jobs.
class SlowWorker {
public:
    static constexpr std::size_t kJobsMax = 16;
    using Job = std::move_only_function<void()>;

    SlowWorker() = default;
    ~SlowWorker();
    SlowWorker(const SlowWorker&) = delete;
    SlowWorker& operator=(const SlowWorker&) = delete;

    // False, and nothing is done, when too many wait, the system gives no thread, or after stop().
    [[nodiscard]] bool add(Job job);

    // Does the waiting jobs and ends, or gives up after `patience`.
    void stop(Duration patience);

private:
    struct Shared {
        std::mutex mutex;
        std::condition_variable changed;
        std::deque<Job> jobs;
        bool stopping = false;
        bool ended = false;
    };
    static void run(Shared& shared);

    std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
    std::thread thread_;
};

}  // namespace muster::sdk_core
