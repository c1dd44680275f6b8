#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "runtime/links/frame.h"
#include "runtime/links/handshake.h"
#include "runtime/links/hello.h"

// What a stranger sends to the peer port: never more than a refusal comes of it, and what is read
// as a hello is written the same.
namespace muster::runtime {
namespace {

class Welcome final : public LinkAdmission {
public:
    [[nodiscard]] std::optional<LinkRefusal> admit(const LinkHello& /*peer*/) const override {
        return std::nullopt;
    }
};

LinkHello self() {
    return {.cluster = "test", .node = NodeId("a"), .nonce = std::string(kNonceBytes, 'n')};
}

void converse(LinkSide side, std::size_t step, std::string_view bytes) {
    const std::string secret = "s";
    const Welcome welcome;
    Handshake handshake({.side = side, .self = self(), .expected = {}}, secret, welcome);
    static_cast<void>(handshake.open());
    FrameReader reader(kHandshakeFrameMax);
    while (!bytes.empty()) {
        const auto fed =
            reader.feed(bytes.substr(0, step), [&](FrameKind kind, std::string_view content) {
                const Handshake::Step answer = handshake.on_frame(kind, content);
                CHECK(answer.outcome != Handshake::Outcome::done);
                CHECK(answer.send.size() <= 2 * kHandshakeFrameMax);
                return answer.outcome == Handshake::Outcome::going_on;
            });
        if (!fed || !*fed) {
            return;
        }
        CHECK(reader.held_bytes() <= kHandshakeFrameMax + 5);
        bytes.remove_prefix(std::min(step, bytes.size()));
    }
}

void read_alone(std::string_view bytes) {
    if (const auto hello = decode_hello(bytes)) {
        const auto again = decode_hello(encode_hello(*hello));
        CHECK(again.has_value() && *again == *hello);
    }
    const LinkRefusal refusal = decode_refusal(bytes);
    CHECK(decode_refusal(encode_refusal(refusal)).sentence == refusal.sentence);
}

}  // namespace
}  // namespace muster::runtime

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace muster::runtime;
    if (size == 0) {
        return 0;
    }
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const LinkSide side = (data[0] & 1U) == 0 ? LinkSide::accepter : LinkSide::dialler;
    converse(side, 1U + (data[0] >> 1U), bytes);
    read_alone(bytes);
    return 0;
}
