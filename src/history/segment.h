#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "history/batch.h"
#include "history/service_filter.h"

// The bytes of one file of the ring (docs/internals/history.md): blocks, each a compressed batch
// with its checksum, and, once it is full, a trailer by which a reader knows whether to read it.
namespace muster::history {

inline constexpr std::size_t kBlockHeadBytes = 60;
inline constexpr std::size_t kMagicBytes = 4;
// A block with more than that is none of ours.
inline constexpr std::size_t kBatchBytesMax = std::size_t{4} << 20U;

// What stands in front of a block.
struct BlockHead {
    std::uint32_t packed_bytes = 0;
    std::uint32_t raw_bytes = 0;
    std::uint32_t records = 0;
    std::int64_t first_ms = 0;
    std::int64_t last_ms = 0;
    HistoryLoss lost;  // before it
};

// A block of `batch`, behind which `lost` was not written. Requires: at most kBatchBytesMax.
[[nodiscard]] std::string encode_block(const Batch& batch, const HistoryLoss& lost);

// Where a block is in a segment.
struct BlockPlace {
    BlockHead head;
    std::size_t offset = 0;  // of what is compressed
};

// Of the first bytes of a segment: whether blocks of another layout stand there. Errors: refused.
[[nodiscard]] Result<void> check_segment_format(std::string_view head);

// All whole blocks, in their order; what is between or behind them that is none is passed over.
[[nodiscard]] std::vector<BlockPlace> find_blocks(std::string_view segment);

// The batch of a block that find_blocks() found there. Errors: corrupt.
[[nodiscard]] Result<std::string> decode_block(std::string_view segment, const BlockPlace& place);

// What is known of a segment without reading it.
struct SegmentIndex {
    std::int64_t first_ms = 0;
    std::int64_t last_ms = 0;
    std::uint64_t records = 0;
    HistoryLoss lost;  // of all blocks, as one
    ServiceFilter services;

    void add(const Batch& batch, const HistoryLoss& lost);
    // The same of a segment that has no trailer.
    [[nodiscard]] static SegmentIndex of(std::string_view segment);
};

[[nodiscard]] std::string encode_trailer(const SegmentIndex& index);

// At most so much is at the end of a segment.
inline constexpr std::size_t kTrailerBytesMax = 72 + ServiceFilter::kBytesMax;

// Of the end of a segment; none: it has no trailer, or a broken one.
[[nodiscard]] std::optional<SegmentIndex> decode_trailer(std::string_view end);

// Both as one.
void merge(HistoryLoss& loss, const HistoryLoss& other);

}  // namespace muster::history
