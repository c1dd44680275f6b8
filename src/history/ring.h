#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "history/batch.h"
#include "history/folder.h"
#include "history/segment.h"

namespace muster::history {

struct RingOptions {
    std::uint64_t bytes_max = std::uint64_t{4} << 30U;  // of all files
    std::uint64_t segment_bytes = std::uint64_t{8} << 20U;
    // A life of the process that wrote little leaves a small file.
    std::size_t segments_max = 4096;
};

struct RingStats {
    std::uint64_t bytes = 0;
    std::size_t segments = 0;
    std::uint64_t written_records = 0;
    std::uint64_t written_bytes = 0;
    std::uint64_t lost_records = 0;  // that could not be written
    std::uint64_t failures = 0;
};

// The files of the history: batches are appended to the newest segment, and the oldest segment goes
// when all have their size, or when the disk has no room.
//
// A process never writes to a segment of an earlier life, whose end may be torn: that gets its
// trailer when the ring is opened.
//
// What cannot be written is lost and counted; the next block tells it. One thread. Bounds: files of
// bytes_max and one batch, an index of each segment in memory.
class Ring {
public:
    // Segments are smaller; a life with other options may have made larger ones.
    static constexpr std::size_t kReadMax = std::size_t{64} << 20U;

    Ring(Folder& folder, RingOptions options) : folder_(folder), options_(options) {}

    // Finds what earlier lives wrote. Errors: io_error; what is written then is kept nevertheless.
    Result<void> open();

    // Keeps the batch. `lost` came to nothing since the one before. Errors: io_error; it is lost.
    Result<void> write(const Batch& batch, const HistoryLoss& lost);

    // Makes durable what is written.
    void close();

    struct Segment {
        std::uint64_t number = 0;
        std::uint64_t bytes = 0;
        SegmentIndex index;
    };
    // The newest one below that number; null: there is none.
    [[nodiscard]] const Segment* newest_below(std::uint64_t number) const;
    // The bytes of one that is there, kReadMax at most. Errors: not_found, io_error.
    [[nodiscard]] Result<std::string> read(const Segment& segment);

    // Since when anything is kept; zero: nothing is.
    [[nodiscard]] std::int64_t oldest_ms() const;
    // Not told by any block yet.
    [[nodiscard]] const HistoryLoss& untold() const {
        return untold_;
    }
    [[nodiscard]] RingStats stats() const;

private:
    [[nodiscard]] Result<SegmentIndex> index_of(Folder::File& file);
    Result<void> append(const std::string& block);
    void make_room(std::uint64_t bytes);
    bool drop_oldest();
    void seal();

    Folder& folder_;
    RingOptions options_;
    std::deque<Segment> segments_;  // by number
    bool writing_ = false;          // the last one is of this life
    std::uint64_t next_number_ = 1;
    std::uint64_t bytes_ = 0;
    HistoryLoss untold_;
    RingStats counts_;
};

}  // namespace muster::history
