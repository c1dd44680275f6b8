#include "runtime/disk/file_disk.h"

#include <csignal>
#include <utility>

#include "base/check.h"
#include "runtime/disk/files.h"

namespace muster::runtime {

// Loop thread only, but for being carried through post().
struct FileDisk::Reporter {
    env::DiskTarget* target = nullptr;
    bool gone = false;
    std::size_t waiting_bytes = 0;
    std::size_t waiting_ops = 0;
    Counter done;
    Counter failures;
    Counter bytes;
    LatencyHistogram latency;

    void report(const Op& op, MonoTime now) {
        --waiting_ops;
        waiting_bytes -= op.bytes.size();
        if (gone) {
            return;
        }
        if (op.reads) {
            CHECK_BECAUSE(target != nullptr, "a disk needs bind() before the loop runs");
            target->on_read(op.id, op.part);
            return;
        }
        done.add();
        bytes.add(op.bytes.size());
        latency.record(now - op.begin);
        if (!op.outcome) {
            failures.add();
        }
        CHECK_BECAUSE(target != nullptr, "a disk needs bind() before the loop runs");
        target->on_disk(op.id, op.outcome);
    }
};

FileDisk::FileDisk(Loop& loop, const DataFolder& folder, FileDiskOptions options)
    : loop_(loop),
      folder_(options.folder.empty() ? folder.path() : folder.path() / options.folder),
      options_(std::move(options)),
      reporter_(std::make_shared<Reporter>()),
      io_([this] { run_io(); }) {}

FileDisk::~FileDisk() {
    reporter_->gone = true;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    waiting_changed_.notify_one();
    io_.join();
}

void FileDisk::bind(env::DiskTarget& target) {
    reporter_->target = &target;
}

Result<std::string> FileDisk::read(std::string_view path) {
    const auto file = path_below(folder_, path);
    if (!file) {
        return std::unexpected(file.error());
    }
    return read_file(*file);
}

Result<std::vector<std::string>> FileDisk::list(std::string_view folder) {
    if (folder.empty() || folder == ".") {
        return list_files(folder_);
    }
    const auto below = path_below(folder_, folder);
    if (!below) {
        return std::unexpected(below.error());
    }
    return list_files(*below);
}

void FileDisk::read_part(env::DiskOpId op, std::string_view path, std::uint64_t offset,
                         std::size_t bytes_max) {
    enqueue({.id = op,
             .kind = Kind::read,
             .begin = loop_.mono(),
             .offset = offset,
             .bytes_max = bytes_max,
             .reads = true},
            path);
}

void FileDisk::append(env::DiskOpId op, std::string_view path, std::string bytes) {
    submit(op, Kind::append, path, std::move(bytes));
}

void FileDisk::replace(env::DiskOpId op, std::string_view path, std::string bytes) {
    submit(op, Kind::replace, path, std::move(bytes));
}

void FileDisk::remove(env::DiskOpId op, std::string_view path) {
    submit(op, Kind::remove, path, {});
}

void FileDisk::submit(env::DiskOpId id, Kind kind, std::string_view path, std::string bytes) {
    enqueue({.id = id, .kind = kind, .bytes = std::move(bytes), .begin = loop_.mono()}, path);
}

void FileDisk::enqueue(Op op, std::string_view path) {
    auto file = path_below(folder_, path);
    if (!file) {
        op.kind = Kind::refused;
        op.bytes.clear();
        op.part = std::unexpected(file.error());
        op.outcome = std::unexpected(std::move(file).error());
    } else if (reporter_->waiting_bytes + op.bytes.size() > options_.waiting_bytes_max) {
        op.kind = Kind::refused;
        op.bytes.clear();
        op.outcome = fail(Errc::over_limit, "more bytes wait for the disk than the limit");
    } else {
        op.file = std::move(*file);
    }
    ++reporter_->waiting_ops;
    reporter_->waiting_bytes += op.bytes.size();
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(op));
    }
    waiting_changed_.notify_one();
}

void FileDisk::run_io() {
    sigset_t all{};
    sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);  // signals are the loop's
    for (;;) {
        std::vector<Op> batch;
        {
            std::unique_lock lock(mutex_);
            waiting_changed_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
            if (waiting_.empty()) {
                return;
            }
            batch.swap(waiting_);
        }
        carry_out(batch);
        loop_.post([reporter = reporter_, done = std::move(batch), &loop = loop_] {
            const MonoTime now = loop.mono();
            for (const Op& op : done) {
                reporter->report(op, now);
            }
        });
    }
}

void FileDisk::carry_out(std::vector<Op>& batch) {
    for (std::size_t i = 0; i < batch.size();) {
        Op& op = batch[i];
        switch (op.kind) {
            case Kind::append: i = append_run(batch, i); continue;
            case Kind::replace: op.outcome = replace_durably(op.file, op.bytes); break;
            case Kind::remove: op.outcome = remove_durably(op.file); break;
            case Kind::read: op.part = read_file_part(op.file, op.offset, op.bytes_max); break;
            case Kind::refused: break;
        }
        if (op.outcome && !op.reads) {
            failed_.erase(op.file);
        }
        ++i;
    }
}

// Carries out the appends to one file that stand together from `first` on; gives where they end.
std::size_t FileDisk::append_run(std::vector<Op>& batch, std::size_t first) {
    std::size_t end = first;
    std::vector<std::string_view> parts;
    while (end < batch.size() && batch[end].kind == Kind::append &&
           batch[end].file == batch[first].file) {
        parts.emplace_back(batch[end].bytes);
        ++end;
    }
    Result<void> outcome;
    if (failed_.contains(batch[first].file)) {
        outcome = fail(Errc::io_error, "append " + batch[first].file.string() +
                                           ": an earlier append failed; replace the file first");
    } else {
        outcome = append_durably(batch[first].file, parts);
        if (!outcome) {
            failed_.insert(batch[first].file);
        }
    }
    for (std::size_t i = first; i < end; ++i) {
        batch[i].outcome = outcome;
    }
    return end;
}

void FileDisk::write_metrics(MetricsWriter& writer) const {
    writer.counter("muster_disk_writes_total", "Writes carried out.", reporter_->done.value());
    writer.counter("muster_disk_failures_total", "Writes that failed.",
                   reporter_->failures.value());
    writer.counter("muster_disk_written_bytes_total", "Bytes written.", reporter_->bytes.value());
    writer.gauge("muster_disk_waiting", "Writes that wait or are being carried out.",
                 static_cast<std::int64_t>(reporter_->waiting_ops));
    writer.histogram("muster_disk_write_seconds", "From the call until the bytes are durable.",
                     reporter_->latency);
}

}  // namespace muster::runtime
