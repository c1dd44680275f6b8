#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/bolt/frame.h"

namespace muster::bolt {

// What the bytes at hand are.
enum class Decode : std::uint8_t {
    message,    // one whole frame
    need_more,  // the beginning of a frame that may become good
    not_mine,   // the first byte names no bolt protocol: another protocol's bytes
    too_big,    // a frame over a limit
    broken,     // bolt, but malformed: there is no way to find the next frame
};

[[nodiscard]] std::string_view to_string(Decode outcome);

struct DecodedFrame {
    Decode outcome = Decode::need_more;
    Frame frame;           // message only
    std::size_t size = 0;  // message: bytes of the frame; need_more: of the frame, 0 if unknown
    std::string_view why;  // too_big and broken: a literal that says what is wrong
};

// Decodes the frame at the beginning of `bytes`. Copies nothing.
[[nodiscard]] DecodedFrame decode_frame(std::string_view bytes, const FrameLimits& limits);

// Cuts a stream of bytes, split anywhere, into frames. One for each connection.
//
//   reader.feed(bytes);
//   while ((decoded = reader.next()).outcome == Decode::message) { ... }
//
// Bytes are copied only while a frame is incomplete. Bound: less than one frame plus one feed.
// After not_mine, too_big or broken the stream is lost: every later next() says the same.
class FrameReader {
public:
    explicit FrameReader(FrameLimits limits) : limits_(limits) {}

    // `bytes` must stay valid until next() has answered something else than `message`.
    // Requires: the last next() did not answer `message`.
    void feed(std::string_view bytes);

    // The next frame; its views are valid until the following call of next() or feed().
    [[nodiscard]] DecodedFrame next();

    // Bytes kept for an incomplete frame.
    [[nodiscard]] std::size_t buffered() const {
        return kept_.size();
    }

private:
    FrameLimits limits_;
    std::string kept_;
    std::string_view rest_;  // not yet decoded: in kept_ or in the bytes fed
    DecodedFrame lost_;      // the answer after which nothing is read any more
};

}  // namespace muster::bolt
