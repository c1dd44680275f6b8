#include "history/segment.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "base/compression.h"
#include "base/hash.h"

namespace muster::history {
namespace {

constexpr std::string_view kBlockMagic = "MHB1";
constexpr std::string_view kTrailerMagic = "MHT1";
constexpr std::size_t kCrcBytes = 4;
constexpr int kLevel = 3;

void put_loss(std::string& out, const HistoryLoss& lost) {
    append_big_endian(out, lost.records);
    append_big_endian(out, lost.from_ms);
    append_big_endian(out, lost.to_ms);
}

HistoryLoss loss_at(std::string_view bytes, std::size_t at) {
    return {.from_ms = read_big_endian<std::int64_t>(bytes, at + 8),
            .to_ms = read_big_endian<std::int64_t>(bytes, at + 16),
            .records = read_big_endian<std::uint64_t>(bytes, at)};
}

std::uint32_t block_crc(std::string_view head, std::string_view packed) {
    return crc32c(packed, crc32c(head));
}

// The block that begins with `bytes`; none: there is no whole one.
std::optional<BlockHead> block_at(std::string_view bytes) {
    if (bytes.size() < kBlockHeadBytes || !bytes.starts_with(kBlockMagic)) {
        return std::nullopt;
    }
    const BlockHead head{.packed_bytes = read_big_endian<std::uint32_t>(bytes, 4),
                         .raw_bytes = read_big_endian<std::uint32_t>(bytes, 8),
                         .records = read_big_endian<std::uint32_t>(bytes, 12),
                         .first_ms = read_big_endian<std::int64_t>(bytes, 16),
                         .last_ms = read_big_endian<std::int64_t>(bytes, 24),
                         .lost = loss_at(bytes, 32)};
    const std::string_view packed = bytes.substr(kBlockHeadBytes);
    if (head.raw_bytes > kBatchBytesMax || head.packed_bytes > packed.size()) {
        return std::nullopt;
    }
    const std::uint32_t crc = read_big_endian<std::uint32_t>(bytes, kBlockHeadBytes - kCrcBytes);
    const std::uint32_t computed = block_crc(bytes.substr(0, kBlockHeadBytes - kCrcBytes),
                                             packed.substr(0, head.packed_bytes));
    return crc == computed ? std::optional(head) : std::nullopt;
}

}  // namespace

Result<void> check_segment_format(std::string_view head) {
    const std::string_view family = kBlockMagic.substr(0, kMagicBytes - 1);
    if (head.size() < kMagicBytes || !head.starts_with(family) || head.starts_with(kBlockMagic)) {
        return {};
    }
    return fail(Errc::refused, "written in another format by another release, this one reads " +
                                   std::string(kBlockMagic));
}

std::string encode_block(const Batch& batch, const HistoryLoss& lost) {
    const std::string& raw = batch.bytes();
    CHECK(raw.size() <= kBatchBytesMax);
    const std::string packed = compress(raw, kLevel);

    std::string block(kBlockMagic);
    append_big_endian(block, static_cast<std::uint32_t>(packed.size()));
    append_big_endian(block, static_cast<std::uint32_t>(raw.size()));
    append_big_endian(block, batch.records());
    append_big_endian(block, batch.first_ms());
    append_big_endian(block, batch.last_ms());
    put_loss(block, lost);
    append_big_endian(block, block_crc(block, packed));
    return block + packed;
}

std::vector<BlockPlace> find_blocks(std::string_view segment) {
    std::vector<BlockPlace> places;
    std::size_t at = 0;
    while (at < segment.size()) {
        if (const auto head = block_at(segment.substr(at))) {
            places.push_back({.head = *head, .offset = at + kBlockHeadBytes});
            at += kBlockHeadBytes + head->packed_bytes;
        } else {
            at = std::min(segment.find(kBlockMagic, at + 1), segment.size());
        }
    }
    return places;
}

Result<std::string> decode_block(std::string_view segment, const BlockPlace& place) {
    auto raw =
        decompress(segment.substr(place.offset, place.head.packed_bytes), place.head.raw_bytes);
    if (!raw || raw->size() != place.head.raw_bytes) {
        return fail(Errc::corrupt, "a block of the history");
    }
    return raw;
}

void merge(HistoryLoss& loss, const HistoryLoss& other) {
    if (other.records == 0) {
        return;
    }
    if (loss.records == 0) {
        loss = other;
        return;
    }
    loss.from_ms = std::min(loss.from_ms, other.from_ms);
    loss.to_ms = std::max(loss.to_ms, other.to_ms);
    loss.records += other.records;
}

void SegmentIndex::add(const Batch& batch, const HistoryLoss& loss) {
    merge(lost, loss);
    first_ms = records == 0 ? batch.first_ms() : std::min(first_ms, batch.first_ms());
    last_ms = records == 0 ? batch.last_ms() : std::max(last_ms, batch.last_ms());
    records += batch.records();
    const auto read = for_each_record(
        batch.bytes(), [&](const RecordView& record) { services.add(record.service()); });
    CHECK(read.has_value());
}

SegmentIndex SegmentIndex::of(std::string_view segment) {
    SegmentIndex index;
    for (const BlockPlace& place : find_blocks(segment)) {
        const BlockHead& head = place.head;
        merge(index.lost, head.lost);
        index.first_ms =
            index.records == 0 ? head.first_ms : std::min(index.first_ms, head.first_ms);
        index.last_ms = index.records == 0 ? head.last_ms : std::max(index.last_ms, head.last_ms);
        index.records += head.records;
        if (const auto batch = decode_block(segment, place)) {
            // What is broken behind a good checksum was written so; what came before it counts.
            [[maybe_unused]] const auto read = for_each_record(
                *batch, [&](const RecordView& record) { index.services.add(record.service()); });
        }
    }
    return index;
}

// trailer: magic, first, last, records, lost, filter, CRC, size of all of it, magic
std::string encode_trailer(const SegmentIndex& index) {
    ServiceFilter services = index.services;
    services.shrink();
    std::string trailer(kTrailerMagic);
    append_big_endian(trailer, index.first_ms);
    append_big_endian(trailer, index.last_ms);
    append_big_endian(trailer, index.records);
    put_loss(trailer, index.lost);
    trailer += services.bytes();
    append_big_endian(trailer, crc32c(trailer));
    append_big_endian(trailer,
                      static_cast<std::uint32_t>(trailer.size() + 4 + kTrailerMagic.size()));
    return trailer.append(kTrailerMagic);
}

std::optional<SegmentIndex> decode_trailer(std::string_view end) {
    constexpr std::size_t kFilterAt = 52;
    constexpr std::size_t kBehind = 12;
    if (end.size() < kFilterAt + kBehind || !end.ends_with(kTrailerMagic)) {
        return std::nullopt;
    }
    const auto size = read_big_endian<std::uint32_t>(end, end.size() - 8);
    if (size > end.size() || size < kFilterAt + kBehind ||
        !ServiceFilter::fits(size - kFilterAt - kBehind)) {
        return std::nullopt;
    }
    const std::string_view trailer = end.substr(end.size() - size);
    const std::string_view checked = trailer.substr(0, size - kBehind);
    if (!trailer.starts_with(kTrailerMagic) ||
        crc32c(checked) != read_big_endian<std::uint32_t>(trailer, checked.size())) {
        return std::nullopt;
    }
    return SegmentIndex{.first_ms = read_big_endian<std::int64_t>(trailer, 4),
                        .last_ms = read_big_endian<std::int64_t>(trailer, 12),
                        .records = read_big_endian<std::uint64_t>(trailer, 20),
                        .lost = loss_at(trailer, 28),
                        .services = ServiceFilter(std::string(checked.substr(kFilterAt)))};
}

}  // namespace muster::history
