#include "wire/bolt/frame_decoder.h"

#include "base/bytes.h"
#include "base/check.h"
#include "wire/bolt/frame_encoder.h"

namespace muster::bolt {
namespace {

constexpr std::size_t kCrcBytes = 4;
// A kept buffer above this is given back when it has been used up.
constexpr std::size_t kKeptCapacityMax = std::size_t{64} << 10U;

DecodedFrame refused(Decode outcome, std::string_view why) {
    return {.outcome = outcome, .why = why};
}

// Type and command that belong together.
bool fits(FrameType type, std::uint16_t command) {
    switch (static_cast<Command>(command)) {
        case Command::heartbeat: return true;
        case Command::request: return type != FrameType::response;
        case Command::response: return type == FrameType::response;
    }
    return false;
}

// Reads the fields of the fixed header; `lengths_at` is where its three lengths begin.
struct FixedHeader {
    FrameHead head;
    std::size_t lengths_at = 0;
    DecodedFrame problem{.outcome = Decode::message};
};

FixedHeader read_fixed_header(std::string_view bytes) {
    FixedHeader fixed;
    FrameHead& head = fixed.head;
    const auto stop = [&](Decode outcome, std::string_view why) {
        fixed.problem = refused(outcome, why);
        return fixed;
    };
    if (bytes.empty()) {
        return stop(Decode::need_more, "");
    }
    head.protocol = static_cast<std::uint8_t>(bytes[0]);
    if (head.protocol != kProtocol1 && head.protocol != kProtocol2) {
        return stop(Decode::not_mine, "the first byte names no bolt protocol");
    }
    std::size_t at = 1;
    const std::size_t extra = head.protocol == kProtocol2 ? 1 : 0;
    if (bytes.size() < 2 + extra) {
        return stop(Decode::need_more, "");
    }
    if (head.protocol == kProtocol2) {
        head.version = static_cast<std::uint8_t>(bytes[at++]);
        if (head.version != 1 && head.version != 2) {
            return stop(Decode::broken, "unknown version of protocol 2");
        }
    }
    const auto type = static_cast<std::uint8_t>(bytes[at++]);
    if (type > static_cast<std::uint8_t>(FrameType::oneway)) {
        return stop(Decode::broken, "unknown frame type");
    }
    head.type = static_cast<FrameType>(type);
    if (bytes.size() < at + sizeof(std::uint16_t)) {
        return stop(Decode::need_more, "");
    }
    const auto command = read_big_endian<std::uint16_t>(bytes, at);
    if (!fits(head.type, command)) {
        return stop(Decode::broken, "unknown command code");
    }
    head.command = static_cast<Command>(command);
    if (bytes.size() < head.size()) {
        return stop(Decode::need_more, "");
    }
    at += sizeof(command);
    head.command_version = static_cast<std::uint8_t>(bytes[at++]);
    head.request_id = read_big_endian<std::int32_t>(bytes, at);
    at += sizeof(head.request_id);
    head.codec = static_cast<std::uint8_t>(bytes[at++]);
    if (head.protocol == kProtocol2) {
        head.switches = static_cast<std::uint8_t>(bytes[at++]);
    }
    if (head.is_response()) {
        head.status = static_cast<Status>(read_big_endian<std::uint16_t>(bytes, at));
        at += sizeof(head.status);
    } else {
        head.timeout_ms = read_big_endian<std::int32_t>(bytes, at);
        at += sizeof(head.timeout_ms);
    }
    fixed.lengths_at = at;
    return fixed;
}

}  // namespace

std::string_view to_string(Decode outcome) {
    switch (outcome) {
        case Decode::message: return "message";
        case Decode::need_more: return "need_more";
        case Decode::not_mine: return "not_mine";
        case Decode::too_big: return "too_big";
        case Decode::broken: return "broken";
    }
    return "unknown";
}

DecodedFrame decode_frame(std::string_view bytes, const FrameLimits& limits) {
    const FixedHeader fixed = read_fixed_header(bytes);
    if (fixed.problem.outcome != Decode::message) {
        return fixed.problem;
    }
    const FrameHead& head = fixed.head;
    const auto class_bytes = read_big_endian<std::int16_t>(bytes, fixed.lengths_at);
    const auto header_bytes = read_big_endian<std::int16_t>(bytes, fixed.lengths_at + 2);
    const auto content_bytes = read_big_endian<std::int32_t>(bytes, fixed.lengths_at + 4);
    if (class_bytes < 0 || header_bytes < 0 || content_bytes < 0) {
        return refused(Decode::broken, "negative length");
    }
    if (static_cast<std::size_t>(class_bytes) > limits.class_name_bytes_max) {
        return refused(Decode::too_big, "class name over the limit");
    }
    const std::size_t covered = head.size() + static_cast<std::size_t>(class_bytes) +
                                static_cast<std::size_t>(header_bytes) +
                                static_cast<std::size_t>(content_bytes);
    const std::size_t size = covered + (head.has_crc() ? kCrcBytes : 0);
    if (size > limits.frame_bytes_max) {
        return refused(Decode::too_big, "frame over the limit");
    }
    if (bytes.size() < size) {
        return {.outcome = Decode::need_more, .size = size};
    }
    if (head.has_crc() &&
        read_big_endian<std::uint32_t>(bytes, covered) != crc32(bytes.substr(0, covered))) {
        return refused(Decode::broken, "wrong CRC");
    }
    std::string_view sections = bytes.substr(head.size(), covered - head.size());
    Frame frame{.head = head};
    frame.class_name = sections.substr(0, static_cast<std::size_t>(class_bytes));
    sections.remove_prefix(frame.class_name.size());
    frame.header_section = sections.substr(0, static_cast<std::size_t>(header_bytes));
    frame.content = sections.substr(frame.header_section.size());
    return {.outcome = Decode::message, .frame = frame, .size = size};
}

void FrameReader::feed(std::string_view bytes) {
    CHECK_BECAUSE(rest_.size() == kept_.size(), "feed() between two frames of one feed");
    if (lost_.outcome != Decode::need_more) {
        return;
    }
    if (kept_.empty()) {
        rest_ = bytes;
    } else {
        kept_.append(bytes);
        rest_ = kept_;
    }
}

DecodedFrame FrameReader::next() {
    if (lost_.outcome != Decode::need_more) {
        return lost_;
    }
    DecodedFrame decoded = decode_frame(rest_, limits_);
    if (decoded.outcome == Decode::message) {
        rest_.remove_prefix(decoded.size);
        return decoded;
    }
    if (decoded.outcome != Decode::need_more) {
        lost_ = decoded;
        rest_ = {};
        kept_ = {};
        return decoded;
    }
    if (rest_.empty()) {
        if (kept_.capacity() > kKeptCapacityMax) {
            kept_ = {};
        }
        kept_.clear();
    } else if (kept_.empty()) {
        kept_.assign(rest_);
    } else {
        kept_.erase(0, kept_.size() - rest_.size());
    }
    rest_ = kept_;
    return decoded;
}

}  // namespace muster::bolt
