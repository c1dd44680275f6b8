#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

// SOFABolt frames: what SOFARegistry clients and servers put on a TCP connection.
//
//   fixed header | class name | header section | content | CRC-32 (protocol 2, version 2 only)
//
// The fixed header is 20 to 24 bytes, big endian; its first byte names the protocol of this very
// frame, and its last eight bytes the lengths of the three sections. README.md has the offsets.
namespace muster::bolt {

inline constexpr std::uint8_t kProtocol1 = 1;
inline constexpr std::uint8_t kProtocol2 = 2;

inline constexpr std::uint8_t kCodecHessian = 1;    // SOFA clients in Java
inline constexpr std::uint8_t kCodecProtobuf = 11;  // native clients

enum class FrameType : std::uint8_t { response = 0, request = 1, oneway = 2 };

enum class Command : std::uint16_t { heartbeat = 0, request = 1, response = 2 };

// Status of a response. Others occur: the number is passed on as it came.
enum class Status : std::uint16_t {
    success = 0,
    error = 1,
    server_exception = 2,
    unknown = 3,
    busy = 4,
    communication_error = 5,
    no_processor = 6,
    timeout = 7,
    send_error = 8,
    codec_exception = 9,
    connection_closed = 0x10,
    serialization_failed = 0x11,
    deserialization_failed = 0x12,
};

// The fixed header without its lengths.
struct FrameHead {
    std::uint8_t protocol = kProtocol1;
    std::uint8_t version = 1;  // protocol 2 only (ver1): 1 or 2
    FrameType type = FrameType::request;
    Command command = Command::request;
    std::uint8_t command_version = 1;
    std::int32_t request_id = 0;  // each side has ids of its own; negative ones are ordinary
    std::uint8_t codec = kCodecHessian;
    std::uint8_t switches = 0;        // protocol 2 only; bit 0 asks for the CRC
    std::int32_t timeout_ms = -1;     // requests only; informative
    Status status = Status::success;  // responses only

    [[nodiscard]] bool operator==(const FrameHead&) const = default;

    [[nodiscard]] bool is_response() const {
        return type == FrameType::response;
    }
    [[nodiscard]] bool is_heartbeat() const {
        return command == Command::heartbeat;
    }
    // Four bytes of CRC-32 over all before them end the frame.
    [[nodiscard]] bool has_crc() const {
        return protocol == kProtocol2 && version == 2 && (switches & 1U) != 0;
    }
    // Length of the fixed header: 20, 22 or 24.
    [[nodiscard]] std::size_t size() const {
        return (is_response() ? 20U : 22U) + (protocol == kProtocol2 ? 2U : 0U);
    }
};

// One whole frame. The views look into the bytes it was decoded from.
struct Frame {
    FrameHead head;
    std::string_view class_name;
    std::string_view header_section;  // of custom serialisers; empty from SOFARegistry clients
    std::string_view content;

    [[nodiscard]] bool operator==(const Frame&) const = default;
};

// What a decoder refuses. A frame over a limit is refused when its fixed header is there, before
// its sections are waited for.
struct FrameLimits {
    std::size_t frame_bytes_max = std::size_t{16} << 20U;  // fixed header and CRC included
    std::size_t class_name_bytes_max = 1024;
};

}  // namespace muster::bolt
