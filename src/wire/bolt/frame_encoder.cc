#include "wire/bolt/frame_encoder.h"

#include <limits>

#include <zlib.h>

#include "base/bytes.h"
#include "base/check.h"

namespace muster::bolt {
namespace {

constexpr std::size_t kSectionMax = std::numeric_limits<std::int16_t>::max();
constexpr std::size_t kContentMax = std::numeric_limits<std::int32_t>::max();

void append_fixed_header(std::string& out, const FrameHead& head, std::size_t class_bytes,
                         std::size_t header_bytes, std::size_t content_bytes) {
    CHECK(class_bytes <= kSectionMax && header_bytes <= kSectionMax);
    CHECK(content_bytes <= kContentMax);
    append_big_endian(out, head.protocol);
    if (head.protocol == kProtocol2) {
        append_big_endian(out, head.version);
    }
    append_big_endian(out, static_cast<std::uint8_t>(head.type));
    append_big_endian(out, static_cast<std::uint16_t>(head.command));
    append_big_endian(out, head.command_version);
    append_big_endian(out, head.request_id);
    append_big_endian(out, head.codec);
    if (head.protocol == kProtocol2) {
        append_big_endian(out, head.switches);
    }
    if (head.is_response()) {
        append_big_endian(out, static_cast<std::uint16_t>(head.status));
    } else {
        append_big_endian(out, head.timeout_ms);
    }
    append_big_endian(out, static_cast<std::uint16_t>(class_bytes));
    append_big_endian(out, static_cast<std::uint16_t>(header_bytes));
    append_big_endian(out, static_cast<std::uint32_t>(content_bytes));
}

}  // namespace

std::uint32_t crc32(std::string_view bytes, std::uint32_t crc) {
    return static_cast<std::uint32_t>(
        ::crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::uint32_t crc32_combine(std::uint32_t first, std::uint32_t second, std::size_t second_bytes) {
    return static_cast<std::uint32_t>(
        ::crc32_combine(first, second, static_cast<z_off_t>(second_bytes)));
}

void append_frame(std::string& out, const Frame& frame) {
    const std::size_t begin = out.size();
    append_fixed_header(out, frame.head, frame.class_name.size(), frame.header_section.size(),
                        frame.content.size());
    out.append(frame.class_name).append(frame.header_section).append(frame.content);
    if (frame.head.has_crc()) {
        append_crc(out, crc32(std::string_view(out).substr(begin)));
    }
}

void append_frame_head(std::string& out, const FrameHead& head, std::string_view class_name,
                       std::size_t content_bytes) {
    append_fixed_header(out, head, class_name.size(), 0, content_bytes);
    out.append(class_name);
}

void append_crc(std::string& out, std::uint32_t crc) {
    append_big_endian(out, crc);
}

FrameHead response_to(const FrameHead& request, Status status) {
    FrameHead head = request;
    head.type = FrameType::response;
    head.command = Command::response;
    head.timeout_ms = FrameHead{}.timeout_ms;
    head.status = status;
    if (status != Status::success) {
        head.switches = 0;
    }
    return head;
}

void append_bare_response(std::string& out, const FrameHead& request, Status status) {
    append_frame(out, {.head = response_to(request, status)});
}

void append_heartbeat(std::string& out, const FrameHead& like, std::int32_t request_id) {
    FrameHead head = like;
    head.type = FrameType::request;
    head.command = Command::heartbeat;
    head.request_id = request_id;
    head.switches = 0;
    head.timeout_ms = -1;
    head.status = Status::success;
    append_frame(out, {.head = head});
}

void append_heartbeat_ack(std::string& out, const FrameHead& heartbeat) {
    FrameHead head = response_to(heartbeat, Status::success);
    head.command = Command::heartbeat;
    head.switches = 0;
    append_frame(out, {.head = head});
}

}  // namespace muster::bolt
