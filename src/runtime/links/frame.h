#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

// The bytes of a link: frames one after the other. docs/protocol/cluster.md
namespace muster::runtime {

enum class FrameKind : std::uint8_t {
    hello = 1,    // who the sender is
    proof = 2,    // that it knows the cluster's secret
    ready = 3,    // the dialler has nothing against the link either
    refusal = 4,  // why there will be no link; the connection ends
    ping = 5,     // the sender lives and has nothing to say
    bye = 6,      // the sender gives the connection up, and lives
    message = 7,  // from one role to another
    raw = 8,      // bytes of another protocol
};

// Appends one frame: its length, its kind, its content in two pieces.
void append_frame(std::string& out, FrameKind kind, std::string_view head,
                  std::string_view body = {});

// Cuts bytes, as they arrive, into frames. Bounds: keeps at most one frame of `frame_max` bytes.
class FrameReader {
public:
    explicit FrameReader(std::size_t frame_max) : frame_max_(frame_max) {}

    // For the frames to come, those of the same feed() included.
    void set_frame_max(std::size_t frame_max) {
        frame_max_ = frame_max;
    }

    // Calls take(kind, content) for every frame that is whole now. When it returns false nothing
    // more is looked at, and the reader itself may be gone. False: take() stopped it. Errors:
    // bad_frame, too_large; what follows cannot be read any more.
    template <class Take>
    [[nodiscard]] Result<bool> feed(std::string_view bytes, Take&& take) {
        std::string held = std::move(held_);
        std::string_view rest = bytes;
        if (!held.empty()) {
            held.append(bytes);
            rest = held;
        }
        while (true) {
            auto cut = cut_frame(rest, frame_max_);
            if (!cut) {
                return std::unexpected(std::move(cut).error());
            }
            if (cut->size == 0) {
                break;
            }
            rest.remove_prefix(cut->size);
            if (!take(cut->kind, cut->content)) {
                return false;
            }
        }
        keep(std::move(held), rest);
        return true;
    }

    [[nodiscard]] std::size_t held_bytes() const {
        return held_.size();
    }

private:
    struct Cut {
        std::size_t size = 0;  // zero: not whole yet
        FrameKind kind = FrameKind::ping;
        std::string_view content;
    };

    [[nodiscard]] static Result<Cut> cut_frame(std::string_view bytes, std::size_t frame_max);
    void keep(std::string held, std::string_view rest);

    std::size_t frame_max_;
    std::string held_;  // the beginning of a frame
};

}  // namespace muster::runtime
