#include "runtime/links/frame.h"

namespace muster::runtime {
namespace {

constexpr std::size_t kLengthBytesMax = 5;  // lengths below 2^35

}  // namespace

void append_frame(std::string& out, FrameKind kind, std::string_view head, std::string_view body) {
    std::size_t length = 1 + head.size() + body.size();
    while (length >= 0x80) {
        out.push_back(static_cast<char>(length | 0x80));
        length >>= 7U;
    }
    out.push_back(static_cast<char>(length));
    out.push_back(static_cast<char>(kind));
    out.append(head).append(body);
}

Result<FrameReader::Cut> FrameReader::cut_frame(std::string_view bytes, std::size_t frame_max) {
    std::uint64_t length = 0;
    std::size_t at = 0;
    while (true) {
        if (at == kLengthBytesMax) {
            return fail(Errc::bad_frame, "a frame's length is longer than 5 bytes");
        }
        if (at == bytes.size()) {
            return Cut{};
        }
        const auto byte = static_cast<std::uint8_t>(bytes[at]);
        length |= std::uint64_t{byte & 0x7FU} << (7 * at);
        ++at;
        if (byte < 0x80) {
            break;
        }
    }
    if (length > frame_max) {
        return fail(Errc::too_large, "a frame of " + std::to_string(length) + " bytes; at most " +
                                         std::to_string(frame_max));
    }
    if (length == 0) {
        return fail(Errc::bad_frame, "a frame without a kind");
    }
    if (at == bytes.size()) {
        return Cut{};
    }
    // Looked at before the frame is whole: a stranger is found out at once.
    const auto kind = static_cast<std::uint8_t>(bytes[at]);
    if (kind < static_cast<std::uint8_t>(FrameKind::hello) ||
        kind > static_cast<std::uint8_t>(FrameKind::raw)) {
        return fail(Errc::bad_frame, "a frame of kind " + std::to_string(kind));
    }
    if (bytes.size() - at < length) {
        return Cut{};
    }
    return Cut{.size = at + length,
               .kind = static_cast<FrameKind>(kind),
               .content = bytes.substr(at + 1, length - 1)};
}

void FrameReader::keep(std::string held, std::string_view rest) {
    if (rest.empty()) {
        return;  // and the memory of a large frame is given back
    }
    if (held.empty()) {
        held_.assign(rest);
        return;
    }
    held.erase(0, held.size() - rest.size());
    held_ = std::move(held);
}

}  // namespace muster::runtime
