#include "runtime/history/history_thread.h"

#include <csignal>
#include <optional>
#include <utility>

namespace muster::runtime {
namespace {

constexpr env::TimerKey kWrite{1};

}  // namespace

// What the thread's reports come to. Loop thread only, but for being carried through post().
struct HistoryThread::Front {
    Log log;
    bool gone = false;
    bool failing = false;
    std::size_t waiting_bytes = 0;
    std::size_t questions = 0;
    Counter noted;
    Counter lost;  // before they came to the disk
    Counter asked;
    history::RingStats ring;

    void report(std::size_t bytes_done, const Result<void>& outcome,
                const history::RingStats& stats) {
        waiting_bytes -= bytes_done;
        ring = stats;
        if (gone || failing == !outcome) {
            return;
        }
        failing = !outcome;
        if (failing) {
            log.warning("history.write_failed", {{"error", to_string(outcome.error())}});
        } else {
            log.info("history.written_again", {{"lost", ring.lost_records}});
        }
    }
};

HistoryThread::HistoryThread(Loop& loop, HistoryOptions options, Log log)
    : loop_(loop),
      options_(std::move(options)),
      timers_(loop),
      front_(std::make_shared<Front>(Front{.log = std::move(log)})),
      folder_(options_.folder),
      ring_(folder_, options_.ring),
      thread_([this] { run(); }) {
    timers_.bind(*this);
}

HistoryThread::~HistoryThread() {
    hand_over();
    front_->gone = true;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void HistoryThread::note(const history::Note& note) {
    front_->noted.add();
    if (front_->waiting_bytes >= options_.waiting_bytes_max) {
        front_->lost.add();
        history::merge(lost_, {.from_ms = note.at.unix_ms, .to_ms = note.at.unix_ms, .records = 1});
        return;
    }
    batch_.add(note);
    if (batch_.bytes().size() >= options_.batch_bytes) {
        hand_over();
    } else if (!armed_) {
        armed_ = true;
        timers_.arm(kWrite, options_.write_interval);
    }
}

void HistoryThread::on_timer(env::TimerKey /*key*/) {
    armed_ = false;
    hand_over();
}

void HistoryThread::hand_over() {
    if (batch_.empty() && lost_.records == 0) {
        return;
    }
    front_->waiting_bytes += batch_.bytes().size();
    {
        const std::lock_guard lock(mutex_);
        jobs_.push_back({.batch = std::exchange(batch_, {}), .lost = std::exchange(lost_, {})});
    }
    changed_.notify_one();
}

// What is noted already is looked at, too.
void HistoryThread::find(history::Query query,
                         std::function<void(Result<history::Answer>)> answer) {
    front_->asked.add();
    auto on_loop = [front = front_, answer = std::move(answer)](Result<history::Answer> found) {
        --front->questions;
        if (!front->gone) {
            answer(std::move(found));
        }
    };
    if (front_->questions++ >= options_.searches_max) {
        loop_.post([on_loop = std::move(on_loop), most = options_.searches_max] {
            on_loop(fail(Errc::busy, std::to_string(most) + " questions are asked here already"));
        });
        return;
    }
    hand_over();
    {
        const std::lock_guard lock(mutex_);
        questions_.push_back({.search = {std::move(query), options_.search_bytes_max},
                              .answer = [&loop = loop_, on_loop = std::move(on_loop)](
                                            Result<history::Answer> found) {
                                  loop.post([on_loop, found = std::move(found)]() mutable {
                                      on_loop(std::move(found));
                                  });
                              }});
    }
    changed_.notify_one();
}

void HistoryThread::run() {
    sigset_t all{};
    sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);  // signals are the loop's
    report(0, ring_.open());
    std::optional<Question> question;
    for (;;) {
        std::deque<Job> jobs;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [&] {
                return stopping_ || question || !jobs_.empty() || !questions_.empty();
            });
            jobs.swap(jobs_);
            if (jobs.empty() && stopping_) {
                break;
            }
            if (jobs.empty() && !question) {
                question = std::move(questions_.front());
                questions_.pop_front();
            }
        }
        if (!jobs.empty()) {
            write(std::move(jobs));
        } else if (question->search.step(ring_)) {
            question->answer(question->search.take());
            question.reset();
        }
    }
    ring_.close();
}

void HistoryThread::write(std::deque<Job> jobs) {
    for (const Job& job : jobs) {
        report(job.batch.bytes().size(), ring_.write(job.batch, job.lost));
    }
}

void HistoryThread::report(std::size_t bytes_done, const Result<void>& outcome) {
    loop_.post([front = front_, bytes_done, outcome, stats = ring_.stats()] {
        front->report(bytes_done, outcome, stats);
    });
}

void HistoryThread::write_metrics(MetricsWriter& writer) const {
    const history::RingStats& ring = front_->ring;
    writer.counter("muster_history_noted_total", "Records noted.", front_->noted.value());
    writer.counter("muster_history_written_total", "Records written.", ring.written_records);
    writer.counter("muster_history_written_bytes_total", "Bytes written, compressed.",
                   ring.written_bytes);
    writer.counter("muster_history_lost_total",
                   "Records lost because the disk did not keep up or took nothing.",
                   front_->lost.value() + ring.lost_records);
    writer.counter("muster_history_failures_total", "Writes and removals of files that failed.",
                   ring.failures);
    writer.counter("muster_history_questions_total", "Questions about the history.",
                   front_->asked.value());
    writer.gauge("muster_history_bytes", "Bytes of all files.",
                 static_cast<std::int64_t>(ring.bytes));
    writer.gauge("muster_history_segments", "Files.", static_cast<std::int64_t>(ring.segments));
    writer.gauge("muster_history_waiting_bytes", "Bytes that wait for the disk, uncompressed.",
                 static_cast<std::int64_t>(front_->waiting_bytes));
}

}  // namespace muster::runtime
