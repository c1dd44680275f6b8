#include "raft/record_log.h"

#include <charconv>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/hash.h"

namespace muster::raft {
namespace {

constexpr std::string_view kSegmentMagic = "MUSTLOG\n";
constexpr std::string_view kSnapshotMagic = "MUSTSNP\n";
constexpr std::string_view kSegmentPrefix = "log-";
constexpr std::string_view kSegmentSuffix = ".mlog";
constexpr std::string_view kSnapshotPrefix = "snapshot-";
constexpr std::string_view kSnapshotSuffix = ".msnap";

// The checksum covers the place of the record too, so that neither bytes of a recycled block nor
// a payload that looks like records is taken for one.
std::uint32_t record_crc(std::uint64_t sequence, std::uint64_t offset, std::string_view rest) {
    std::string place;
    append_big_endian(place, sequence);
    append_big_endian(place, offset);
    return crc32c(rest, crc32c(place));
}

// The record at `offset`; nothing when it is not whole.
std::optional<Record> read_record(std::string_view bytes, std::size_t offset,
                                  std::uint64_t sequence) {
    const std::size_t left = bytes.size() - offset;
    if (left < kRecordHeaderBytes) {
        return std::nullopt;
    }
    const auto length = read_big_endian<std::uint32_t>(bytes, offset + 4);
    const auto type = static_cast<std::uint8_t>(bytes[offset + 8]);
    if (length > left - kRecordHeaderBytes || (type != 1 && type != 2)) {
        return std::nullopt;
    }
    Record record{.type = static_cast<RecordType>(type),
                  .term = Term(read_big_endian<std::uint64_t>(bytes, offset + 9)),
                  .index = LogIndex(read_big_endian<std::uint64_t>(bytes, offset + 17)),
                  .durable_bytes = read_big_endian<std::uint64_t>(bytes, offset + 25),
                  .payload = bytes.substr(offset + kRecordHeaderBytes, length)};
    const std::string_view covered = bytes.substr(offset + 4, kRecordHeaderBytes - 4 + length);
    if (record_crc(sequence, offset, covered) != read_big_endian<std::uint32_t>(bytes, offset)) {
        return std::nullopt;
    }
    return record;
}

// More than any honest log needs; a payload made of what looks like record headers would otherwise
// be read over and over.
constexpr std::size_t kProofBytesMax = 64 << 20;

// Whether a whole record after `offset` says that the byte there had been durable. When that takes
// too long to find out it does: better to ask the operator than to drop what was acknowledged.
bool later_record_proves(std::string_view bytes, std::size_t offset, std::uint64_t sequence) {
    std::size_t looked_at = 0;
    for (std::size_t at = offset + 1; bytes.size() - at >= kRecordHeaderBytes; ++at) {
        // The cheap look first: few places hold eight bytes that are such an offset.
        const auto durable = read_big_endian<std::uint64_t>(bytes, at + 25);
        if (durable <= offset || durable > at) {
            continue;
        }
        const auto length = read_big_endian<std::uint32_t>(bytes, at + 4);
        looked_at += length <= bytes.size() - at ? length : 0;
        if (looked_at > kProofBytesMax || read_record(bytes, at, sequence)) {
            return true;
        }
    }
    return false;
}

std::string hex_name(std::string_view prefix, std::uint64_t number, std::string_view suffix) {
    return fmt::format("{}{:016x}{}", prefix, number, suffix);
}

std::optional<std::uint64_t> parse_hex_name(std::string_view prefix, std::string_view name,
                                            std::string_view suffix) {
    if (name.size() != prefix.size() + 16 + suffix.size() || !name.starts_with(prefix) ||
        !name.ends_with(suffix)) {
        return std::nullopt;
    }
    const std::string_view digits = name.substr(prefix.size(), 16);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), number, 16);
    if (error != std::errc{} || end != digits.end()) {
        return std::nullopt;
    }
    return number;
}

Result<void> check_header(std::string_view bytes, std::string_view magic, std::size_t size) {
    if (bytes.size() < size || !bytes.starts_with(magic) ||
        crc32c(bytes.substr(0, size - 4)) != read_big_endian<std::uint32_t>(bytes, size - 4)) {
        return fail(Errc::corrupt, "the header does not match its checksum");
    }
    const auto format = read_big_endian<std::uint32_t>(bytes, magic.size());
    if (format != kLogFormat) {
        return fail(Errc::refused, fmt::format("written in format {} by another release, this one "
                                               "reads format {}",
                                               format, kLogFormat));
    }
    return {};
}

}  // namespace

FileSum sum_of(std::string_view file) {
    return {.head = {}, .bytes = file.size(), .crc = crc32c(file)};
}

FileSum sum_of_snapshot(std::string_view file) {
    CHECK(file.size() >= kSnapshotHeaderBytes + sizeof(std::uint32_t));
    const std::string_view trailer = file.substr(file.size() - sizeof(std::uint32_t));
    return {.head = std::string(file.substr(0, kSnapshotHeaderBytes)),
            .bytes = file.size(),
            .crc = crc32c(trailer, read_big_endian<std::uint32_t>(trailer, 0))};
}

std::string encode_segment_header(const SegmentHeader& header) {
    std::string out(kSegmentMagic);
    append_big_endian(out, kLogFormat);
    append_big_endian(out, header.sequence);
    append_big_endian(out, header.first.raw());
    append_big_endian(out, header.term.raw());
    append_big_endian(out, crc32c(out));
    return out;
}

void append_record(std::string& out, std::uint64_t sequence, std::uint64_t out_offset,
                   const Record& record) {
    CHECK(record.payload.size() <= UINT32_MAX);
    const std::uint64_t offset = out_offset + out.size();
    std::string header;
    append_big_endian(header, static_cast<std::uint32_t>(record.payload.size()));
    header.push_back(static_cast<char>(record.type));
    append_big_endian(header, record.term.raw());
    append_big_endian(header, record.index.raw());
    append_big_endian(header, record.durable_bytes);
    append_big_endian(out, crc32c(record.payload, record_crc(sequence, offset, header)));
    out += header;
    out += record.payload;
}

Result<SegmentScan> scan_segment(std::string_view bytes) {
    MUSTER_TRY(check_header(bytes, kSegmentMagic, kSegmentHeaderBytes));
    SegmentScan scan;
    scan.header = {.sequence = read_big_endian<std::uint64_t>(bytes, 12),
                   .first = LogIndex(read_big_endian<std::uint64_t>(bytes, 20)),
                   .term = Term(read_big_endian<std::uint64_t>(bytes, 28))};
    if (scan.header.first.raw() == 0) {
        return fail(Errc::corrupt, "the header says that the first command has index 0");
    }
    std::uint64_t next = scan.header.first.raw();
    std::size_t offset = kSegmentHeaderBytes;
    while (const auto record = read_record(bytes, offset, scan.header.sequence)) {
        const bool command = record->type == RecordType::command;
        if (record->index.raw() != (command ? next : next - 1) || record->durable_bytes > offset) {
            break;  // whole, but not what may stand here
        }
        if (command) {
            scan.commands.push_back({record->term, record->index, record->payload});
            ++next;
        }
        offset += kRecordHeaderBytes + record->payload.size();
    }
    scan.last = LogIndex(next - 1);
    scan.valid_bytes = offset;
    scan.damaged_after_durable =
        offset < bytes.size() && later_record_proves(bytes, offset, scan.header.sequence);
    return scan;
}

std::string snapshot_header(LogIndex index, Term term, std::uint64_t payload_bytes) {
    std::string out(kSnapshotMagic);
    append_big_endian(out, kLogFormat);
    append_big_endian(out, index.raw());
    append_big_endian(out, term.raw());
    append_big_endian(out, payload_bytes);
    append_big_endian(out, crc32c(out));
    return out;
}

std::string snapshot_trailer(std::uint32_t payload_crc) {
    std::string out;
    append_big_endian(out, payload_crc);
    return out;
}

std::string encode_snapshot(LogIndex index, Term term, std::string_view payload) {
    std::string out = snapshot_header(index, term, payload.size());
    out += payload;
    out += snapshot_trailer(crc32c(payload));
    return out;
}

Result<SnapshotFile> decode_snapshot(std::string_view bytes) {
    MUSTER_TRY(check_header(bytes, kSnapshotMagic, kSnapshotHeaderBytes));
    const auto length = read_big_endian<std::uint64_t>(bytes, 28);
    const std::size_t left = bytes.size() - kSnapshotHeaderBytes;
    if (left < 4 || length != left - 4) {
        return fail(Errc::corrupt, "its length is not what its header says");
    }
    const std::string_view payload = bytes.substr(kSnapshotHeaderBytes, left - 4);
    if (crc32c(payload) != read_big_endian<std::uint32_t>(bytes, bytes.size() - 4)) {
        return fail(Errc::corrupt, "the content does not match its checksum");
    }
    return SnapshotFile{.index = LogIndex(read_big_endian<std::uint64_t>(bytes, 12)),
                        .term = Term(read_big_endian<std::uint64_t>(bytes, 20)),
                        .payload = payload};
}

std::string segment_name(std::uint64_t sequence) {
    return hex_name(kSegmentPrefix, sequence, kSegmentSuffix);
}

std::string snapshot_name(LogIndex index) {
    return hex_name(kSnapshotPrefix, index.raw(), kSnapshotSuffix);
}

std::optional<std::uint64_t> parse_segment_name(std::string_view name) {
    return parse_hex_name(kSegmentPrefix, name, kSegmentSuffix);
}

std::optional<LogIndex> parse_snapshot_name(std::string_view name) {
    if (const auto index = parse_hex_name(kSnapshotPrefix, name, kSnapshotSuffix)) {
        return LogIndex(*index);
    }
    return std::nullopt;
}

}  // namespace muster::raft
