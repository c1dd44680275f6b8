#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "raft/messages.h"

// Messages as bytes: docs/protocol/raft_messages.md. Pure functions.
namespace muster::raft {

inline constexpr std::uint8_t kMessageFormat = 1;
// A message that is longer is refused before anything of it is looked at.
inline constexpr std::size_t kMessageBytesMax = 80 << 20;

struct Envelope {
    std::uint64_t cluster = 0;
    Message message;
};

// Requires: node ids of 1 to 255 bytes.
[[nodiscard]] std::string encode_message(std::uint64_t cluster, const Message& message);

// One whole message. What it returns is consistent in itself: entries follow prev_index, their
// terms do not fall and are not above the message's, members can be read. Errors: bad_frame,
// refused (format of another release), too_large.
[[nodiscard]] Result<Envelope> decode_message(std::string_view bytes);

}  // namespace muster::raft
