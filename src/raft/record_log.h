#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "raft/consensus.h"

// The bytes of log segments and snapshots: docs/protocol/meta_log.md. Pure functions.
namespace muster::raft {

inline constexpr std::uint32_t kLogFormat = 1;
inline constexpr std::size_t kSegmentHeaderBytes = 40;
inline constexpr std::size_t kRecordHeaderBytes = 33;
inline constexpr std::size_t kSnapshotHeaderBytes = 40;

// First bytes of a segment, written with it as one replacement and therefore never torn.
struct SegmentHeader {
    std::uint64_t sequence = 0;  // orders the segments of a folder
    LogIndex first;  // of its first command; voids this and later ones of earlier segments
    Term term;       // of the reign that began it

    [[nodiscard]] bool operator==(const SegmentHeader&) const = default;
};

enum class RecordType : std::uint8_t {
    command = 1,
    // Bears only the news that what stands before it is durable; takes no index itself.
    seal = 2,
};

struct Record {
    RecordType type = RecordType::command;
    Term term;
    LogIndex index;
    // So many bytes of the segment were durable when this record was written (where its batch
    // begins): a damaged byte before them was not torn, it was there and went bad.
    std::uint64_t durable_bytes = 0;
    std::string_view payload;
};

// What one segment holds.
struct SegmentScan {
    struct Command {
        Term term;
        LogIndex index;
        std::string_view payload;  // into the scanned bytes
    };
    SegmentHeader header;
    std::vector<Command> commands;  // header.first and on, without a gap
    LogIndex last;                  // of the last of them; header.first - 1 when there is none
    std::size_t valid_bytes = 0;    // up to the first record that is not whole
    // A later record proves that the first damaged one had been durable.
    bool damaged_after_durable = false;
};

// A snapshot file, taken apart.
struct SnapshotFile {
    LogIndex index;  // of the last command it includes
    Term term;
    std::string_view payload;
};

// What a file holds, to be compared with what is read of it later.
struct FileSum {
    std::string head;         // its first bytes as they are
    std::uint64_t bytes = 0;  // of the whole file
    std::uint32_t crc = 0;    // crc32c of what follows the head
};

[[nodiscard]] FileSum sum_of(std::string_view file);

// The same of a large file whose checksums are known: not all of it is looked at again. Requires:
// decode_snapshot() takes it.
[[nodiscard]] FileSum sum_of_snapshot(std::string_view file);

[[nodiscard]] std::string encode_segment_header(const SegmentHeader& header);

// Appends `record` to `out`, whose first byte will stand at `out_offset` of segment `sequence`.
// Requires: payload below 2^32 bytes.
void append_record(std::string& out, std::uint64_t sequence, std::uint64_t out_offset,
                   const Record& record);

// Errors: corrupt (the header does not check), refused (format of a newer release).
[[nodiscard]] Result<SegmentScan> scan_segment(std::string_view bytes);

[[nodiscard]] std::string encode_snapshot(LogIndex index, Term term, std::string_view payload);

// The same in parts: what stands before a payload of so many bytes, and what stands behind it.
[[nodiscard]] std::string snapshot_header(LogIndex index, Term term, std::uint64_t payload_bytes);
[[nodiscard]] std::string snapshot_trailer(std::uint32_t payload_crc);

// Errors: corrupt, refused (format of a newer release).
[[nodiscard]] Result<SnapshotFile> decode_snapshot(std::string_view bytes);

// Names of the files: "log-<sequence>.mlog", "snapshot-<index>.msnap", 16 hex digits each.
[[nodiscard]] std::string segment_name(std::uint64_t sequence);
[[nodiscard]] std::string snapshot_name(LogIndex index);
[[nodiscard]] std::optional<std::uint64_t> parse_segment_name(std::string_view name);
[[nodiscard]] std::optional<LogIndex> parse_snapshot_name(std::string_view name);

}  // namespace muster::raft
