// A file of the history: arbitrary bytes are read as a segment and as its end; whatever is found is
// within bounds and can be told.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "history/segment.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace muster::history;  // NOLINT
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    if (input.empty()) {
        return 0;
    }
    const std::string_view bytes = input.substr(1);
    if (input.front() == 'r') {  // what is behind checksums, without them
        [[maybe_unused]] const auto read = for_each_record(bytes, [](const RecordView& view) {
            if (const auto record = view.read()) {
                CHECK(record->addresses.size() <= 8);
            }
        });
        return 0;
    }
    std::size_t end = 0;
    for (const BlockPlace& place : find_blocks(bytes)) {
        CHECK(place.offset >= end + kBlockHeadBytes);
        end = place.offset + place.head.packed_bytes;
        CHECK(end <= bytes.size());
        if (const auto batch = decode_block(bytes, place)) {
            CHECK(batch->size() == place.head.raw_bytes);
        }
    }
    [[maybe_unused]] const SegmentIndex index = SegmentIndex::of(bytes);
    if (const auto trailer = decode_trailer(bytes)) {
        const auto again = decode_trailer(encode_trailer(*trailer));
        CHECK(again && again->records == trailer->records && again->lost == trailer->lost);
    }
    return 0;
}
