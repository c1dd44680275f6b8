#include "raft/scrub.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/hash.h"

namespace muster::raft {
namespace {

// Apart from the ids of a LogStore and its SpaceReserve.
constexpr std::uint64_t kOwnOps = std::uint64_t{1} << 62U;

}  // namespace

Scrub::Scrub(ScrubOptions options, std::string folder, env::TimerKey timer, env::Disk& disk,
             env::Timers& timers)
    : options_(options), folder_(std::move(folder)), timer_(timer), disk_(disk), timers_(timers) {
    CHECK(options_.part_bytes >= kSnapshotHeaderBytes);
}

// ---- what there is

void Scrub::wrote(const std::string& name, FileSum sum) {
    forget(name);
    files_[name] = std::move(sum);
}

FileSum Scrub::with(const std::string& name, std::string_view bytes) const {
    const auto file = files_.find(name);
    FileSum sum = file != files_.end() ? file->second : FileSum{};
    sum.bytes += bytes.size();
    sum.crc = crc32c(bytes, sum.crc);
    return sum;
}

void Scrub::appended(const std::string& name, FileSum sum) {
    // What is being read of it was written before.
    if (const auto file = files_.find(name); file != files_.end()) {
        file->second = std::move(sum);
    }
}

void Scrub::forget(const std::string& name) {
    files_.erase(name);
    if (reading_ && reading_->name == name) {
        reading_.reset();
        awaited_.reset();
        timers_.arm(timer_, options_.part_interval);
    }
}

// ---- what is read

void Scrub::begin() {
    timers_.arm(timer_, options_.round_interval);
}

void Scrub::on_timer() {
    if (awaited_) {
        return;
    }
    if (!reading_) {
        next_file();
    }
    if (reading_) {
        read_next_part();
    }
}

void Scrub::next_file() {
    const auto file = files_.upper_bound(last_name_);
    if (file == files_.end()) {
        last_name_.clear();
        rounds_.add();
        timers_.arm(timer_, options_.round_interval);
        return;
    }
    last_name_ = file->first;
    reading_ = Reading{.name = file->first, .expected = file->second};
}

void Scrub::read_next_part() {
    const std::uint64_t left = reading_->expected.bytes - reading_->offset;
    awaited_ = env::DiskOpId(kOwnOps + ++last_op_);
    disk_.read_part(*awaited_, folder_ + "/" + reading_->name, reading_->offset,
                    std::min<std::uint64_t>(left, options_.part_bytes));
}

std::optional<Scrub::Damage> Scrub::on_read(env::DiskOpId op, const Result<std::string>& bytes) {
    if (op != awaited_) {
        return std::nullopt;
    }
    awaited_.reset();
    timers_.arm(timer_, options_.part_interval);
    const std::string name = reading_->name;
    auto why = judge(bytes);
    if (!why) {
        return std::nullopt;
    }
    damages_.add();
    forget(name);
    return Damage{.name = name, .why = std::move(*why)};
}

// Nothing: so far it is as it should be.
std::optional<std::string> Scrub::judge(const Result<std::string>& bytes) {
    Reading& now = *reading_;
    if (!bytes) {
        return std::exchange(now.failed_once, true) ? std::optional(to_string(bytes.error()))
                                                    : std::nullopt;
    }
    bytes_read_.add(bytes->size());
    const std::uint64_t wanted =
        std::min<std::uint64_t>(now.expected.bytes - now.offset, options_.part_bytes);
    if (bytes->size() != wanted) {
        return fmt::format("it ends at byte {} of {}", now.offset + bytes->size(),
                           now.expected.bytes);
    }
    std::string_view part = *bytes;
    if (now.offset == 0) {
        if (!part.starts_with(now.expected.head)) {
            return std::string("its header is not the one that was written");
        }
        part.remove_prefix(now.expected.head.size());
    }
    now.crc = crc32c(part, now.crc);
    now.offset += wanted;
    now.failed_once = false;
    if (now.offset < now.expected.bytes) {
        return std::nullopt;
    }
    const bool same = now.crc == now.expected.crc;
    reading_.reset();
    return same ? std::nullopt
                : std::optional<std::string>("its bytes are not those that were written");
}

void Scrub::write_metrics(MetricsWriter& writer) const {
    writer.counter("muster_raft_scrubbed_bytes_total",
                   "Bytes of the folder read back and compared while the node runs",
                   bytes_read_.value());
    writer.counter("muster_raft_scrubs_total", "Times all of the folder was read back",
                   rounds_.value());
    writer.counter("muster_raft_damage_found_total",
                   "Files that were found damaged while the node runs", damages_.value());
}

}  // namespace muster::raft
