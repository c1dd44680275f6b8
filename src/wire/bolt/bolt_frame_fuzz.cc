#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "wire/bolt/frame_decoder.h"
#include "wire/bolt/frame_encoder.h"

namespace bolt = muster::bolt;

// Property: a stream read in pieces gives the frames it gives as a whole, and every frame encodes
// to the bytes it was read from. The first byte chooses the size of the pieces.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::size_t piece = 1U + (data[0] & 0x3fU);
    const bolt::FrameLimits limits{.frame_bytes_max = 4096, .class_name_bytes_max = 256};

    bolt::FrameReader in_pieces(limits);
    std::string from_pieces;
    bolt::Decode end = bolt::Decode::need_more;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
        in_pieces.feed(stream.substr(at, piece));
        bolt::DecodedFrame decoded = in_pieces.next();
        for (; decoded.outcome == bolt::Decode::message; decoded = in_pieces.next()) {
            bolt::append_frame(from_pieces, decoded.frame);
        }
        end = decoded.outcome;
        CHECK(in_pieces.buffered() < limits.frame_bytes_max);
    }

    std::size_t at = 0;
    bolt::DecodedFrame decoded = bolt::decode_frame(stream, limits);
    for (; decoded.outcome == bolt::Decode::message;
         decoded = bolt::decode_frame(stream.substr(at), limits)) {
        at += decoded.size;
    }
    CHECK(from_pieces == stream.substr(0, at));
    CHECK(stream.empty() || end == decoded.outcome);
    return 0;
}
