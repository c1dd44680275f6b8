#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "env/disk.h"
#include "env/timers.h"
#include "raft/record_log.h"

namespace muster::raft {

struct ScrubOptions {
    std::size_t part_bytes = 64 << 10;  // read at once; at least a header of a snapshot
    Duration part_interval = std::chrono::milliseconds(250);
    Duration round_interval = std::chrono::minutes(10);  // from the end of one to the next
};

// Reads back what is on the disk while the node runs, a part at a time, and compares it with what
// was written or found at start: a file that went bad is found before a start needs it.
//
//   waits --(round_interval)--> reads a part, waits part_interval... of every file --> waits
//
// Part of a LogStore, which tells it of every file that counts; loop thread only. Bounds: one read
// under way, a few bytes for each file. Its reads have ids of their own. Invariants: 1. a file that
// is replaced or removed meanwhile is not judged; 2. a part that cannot be read is asked for once
// more before that is damage.
class Scrub {
public:
    Scrub(ScrubOptions options, std::string folder, env::TimerKey timer, env::Disk& disk,
          env::Timers& timers);

    // The whole of a file is this, durably.
    void wrote(const std::string& name, FileSum sum);
    // What it will be with these bytes added; and that they were, durably.
    [[nodiscard]] FileSum with(const std::string& name, std::string_view bytes) const;
    void appended(const std::string& name, FileSum sum);
    // The file no longer counts, or is not known any more.
    void forget(const std::string& name);

    void begin();
    void on_timer();

    struct Damage {
        std::string name;
        std::string why;  // for people
    };
    // Nothing: the part was as it should be, or nobody waits for it. A damaged file is forgotten.
    [[nodiscard]] std::optional<Damage> on_read(env::DiskOpId op, const Result<std::string>& bytes);

    void write_metrics(MetricsWriter& writer) const;

private:
    struct Reading {
        std::string name;
        FileSum expected;
        std::uint64_t offset = 0;
        std::uint32_t crc = 0;
        bool failed_once = false;
    };

    void read_next_part();
    [[nodiscard]] std::optional<std::string> judge(const Result<std::string>& bytes);
    void next_file();

    ScrubOptions options_;
    std::string folder_;
    env::TimerKey timer_;
    env::Disk& disk_;
    env::Timers& timers_;

    std::map<std::string, FileSum, std::less<>> files_;
    std::optional<Reading> reading_;
    std::string last_name_;  // in this round
    std::uint64_t last_op_ = 0;
    std::optional<env::DiskOpId> awaited_;

    Counter bytes_read_;
    Counter rounds_;
    Counter damages_;
};

}  // namespace muster::raft
