#include "apps/load/native_frames.h"
#include "apps/muster/bench/dialect.h"

namespace muster::cli::bench {
namespace {

class NativeDialect final : public Dialect {
public:
    std::string say(const msg::ClientMessage& message) override {
        return load::native_frame(message);
    }
    std::string say_unpacked(const msg::ClientMessage& message) override {
        return load::native_frame_unpacked(message);
    }
    [[nodiscard]] std::string heartbeat() const override {
        return load::native_heartbeat();
    }
    Result<Heard> hear(const bolt::Frame& frame) override {
        Heard heard;
        if (frame.head.is_response()) {
            heard.answer = {.request = static_cast<std::uint32_t>(frame.head.request_id),
                            .reply = load::native_reply(frame)};
        } else if (load::is_native_push(frame)) {
            auto push = load::native_push(frame);
            if (!push) {
                return std::unexpected(std::move(push).error());
            }
            heard.push = std::move(*push);
        }  // else a hint where else to go: a load stays
        return heard;
    }
};

}  // namespace

std::unique_ptr<Dialect> native_dialect() {
    return std::make_unique<NativeDialect>();
}

}  // namespace muster::cli::bench
