#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/bolt/frame.h"

namespace muster::bolt {

// CRC-32 of zlib and IEEE 802.3, continued from `crc`.
[[nodiscard]] std::uint32_t crc32(std::string_view bytes, std::uint32_t crc = 0);

// The CRC of two runs of bytes in a row, from their CRCs and the length of the second.
[[nodiscard]] std::uint32_t crc32_combine(std::uint32_t first, std::uint32_t second,
                                          std::size_t second_bytes);

// Appends one whole frame. Requires: sections within the lengths the header can say (class name
// and header section 32,767 bytes, content 2^31 - 1).
void append_frame(std::string& out, const Frame& frame);

// Appends the fixed header and the class name of a frame whose content of `content_bytes` bytes
// and, with head.has_crc(), append_crc() follow: so one content is shared by many connections.
// Requires: as append_frame().
void append_frame_head(std::string& out, const FrameHead& head, std::string_view class_name,
                       std::size_t content_bytes);

void append_crc(std::string& out, std::uint32_t crc);

// The head of the answer to `request`: its protocol, version, id and codec. A success copies its
// switches, so it has a CRC when the request had one; other statuses have none, as from Java.
[[nodiscard]] FrameHead response_to(const FrameHead& request, Status status);

// Appends an answer without class and content.
void append_bare_response(std::string& out, const FrameHead& request, Status status);

// Appends a heartbeat in the protocol of `like`.
void append_heartbeat(std::string& out, const FrameHead& like, std::int32_t request_id);

// Appends the answer to a heartbeat.
void append_heartbeat_ack(std::string& out, const FrameHead& heartbeat);

}  // namespace muster::bolt
