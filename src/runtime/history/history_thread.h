#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "base/metrics.h"
#include "env/timers.h"
#include "history/recorder.h"
#include "history/ring.h"
#include "history/search.h"
#include "runtime/history/file_folder.h"
#include "runtime/loop/loop.h"

namespace muster::runtime {

struct HistoryOptions {
    std::filesystem::path folder;
    history::RingOptions ring;
    // Records are with the system after so long at the latest, and outlive this process then.
    Duration write_interval = std::chrono::milliseconds(500);
    std::size_t batch_bytes = std::size_t{256} << 10U;  // handed over earlier when there are more
    std::size_t waiting_bytes_max = std::size_t{8} << 20U;
    std::size_t searches_max = 16;
    std::uint64_t search_bytes_max = std::uint64_t{1} << 30U;  // of one question
};

// Keeps the history in a ring of files: notes are collected on the loop and handed to a thread that
// compresses, writes, and answers questions, writes first. When the disk does not keep up, what is
// over waiting_bytes_max is counted as lost; nothing waits for it.
//
// Made, used and ended on the loop's thread; its destructor writes what was noted. Bounds: see
// HistoryOptions.
class HistoryThread final : public history::Recorder, public env::TimerTarget {
public:
    HistoryThread(Loop& loop, HistoryOptions options, Log log);
    ~HistoryThread() override;
    HistoryThread(const HistoryThread&) = delete;
    HistoryThread& operator=(const HistoryThread&) = delete;

    void note(const history::Note& note) override;
    void find(history::Query query, std::function<void(Result<history::Answer>)> answer) override;
    void on_timer(env::TimerKey key) override;

    void write_metrics(MetricsWriter& writer) const;

private:
    struct Job {
        history::Batch batch;
        HistoryLoss lost;
    };
    struct Question {
        history::Search search;
        std::function<void(Result<history::Answer>)> answer;
    };
    struct Front;

    void hand_over();
    void run();
    void write(std::deque<Job> jobs);
    void report(std::size_t bytes_done, const Result<void>& outcome);

    Loop& loop_;
    HistoryOptions options_;
    LoopTimers timers_;
    bool armed_ = false;
    history::Batch batch_;
    HistoryLoss lost_;
    std::shared_ptr<Front> front_;

    FileFolder folder_;  // of the thread, as the ring
    history::Ring ring_;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Job> jobs_;            // guarded by mutex_
    std::deque<Question> questions_;  // guarded by mutex_
    bool stopping_ = false;           // guarded by mutex_
    std::thread thread_;
};

}  // namespace muster::runtime
