#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "env/disk.h"
#include "runtime/disk/data_folder.h"
#include "runtime/loop/loop.h"

namespace muster::runtime {

struct FileDiskOptions {
    // Below the data folder, so that roles keep apart; empty: the data folder itself.
    std::filesystem::path folder;
    // Bytes of writes that wait or are being written; more are answered over_limit.
    std::size_t waiting_bytes_max = std::size_t{256} << 20;
};

// env::Disk on a data folder. One thread carries out the writes in the order of the calls;
// consecutive appends to one file share a sync. Completions are posted to the loop in that order.
//
// A failed append is cut off again, and later appends to that file fail too until it is replaced
// or removed: what is in it is always a prefix of what was appended. After a failed write a read
// tells what is there.
//
// Bounds: FileDiskOptions. Loop thread only; bind() the target before the loop runs. Destruction
// carries out what waits and reports nothing more.
class FileDisk final : public env::Disk {
public:
    FileDisk(Loop& loop, const DataFolder& folder, FileDiskOptions options);
    ~FileDisk() override;
    FileDisk(const FileDisk&) = delete;
    FileDisk& operator=(const FileDisk&) = delete;

    void bind(env::DiskTarget& target);

    // Sees at least what was reported durable.
    [[nodiscard]] Result<std::string> read(std::string_view path) override;
    [[nodiscard]] Result<std::vector<std::string>> list(std::string_view folder) override;
    // Asks the system to forget what it has cached of the part, so that the medium is read.
    void read_part(env::DiskOpId op, std::string_view path, std::uint64_t offset,
                   std::size_t bytes_max) override;
    // Paths outside the data folder are answered invalid_argument.
    void append(env::DiskOpId op, std::string_view path, std::string bytes) override;
    void replace(env::DiskOpId op, std::string_view path, std::string bytes) override;
    void remove(env::DiskOpId op, std::string_view path) override;

    void write_metrics(MetricsWriter& writer) const;

private:
    enum class Kind : std::uint8_t { append, replace, remove, read, refused };
    struct Op {
        env::DiskOpId id;
        Kind kind = Kind::refused;
        std::filesystem::path file;
        std::string bytes;
        MonoTime begin;
        Result<void> outcome;
        std::uint64_t offset = 0;  // of a read
        std::size_t bytes_max = 0;
        bool reads = false;
        Result<std::string> part = {};
    };
    // Outlives the FileDisk while completions are on their way.
    struct Reporter;

    void submit(env::DiskOpId op, Kind kind, std::string_view path, std::string bytes);
    void enqueue(Op op, std::string_view path);
    void run_io();
    void carry_out(std::vector<Op>& batch);
    [[nodiscard]] std::size_t append_run(std::vector<Op>& batch, std::size_t first);

    Loop& loop_;
    std::filesystem::path folder_;
    FileDiskOptions options_;
    std::shared_ptr<Reporter> reporter_;

    std::mutex mutex_;
    std::condition_variable waiting_changed_;
    std::vector<Op> waiting_;  // guarded by mutex_
    bool stopping_ = false;    // guarded by mutex_

    std::set<std::filesystem::path> failed_;  // I/O thread: a failed append was cut off there
    std::thread io_;
};

}  // namespace muster::runtime
