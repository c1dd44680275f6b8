#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "base/result.h"
#include "base/time.h"
#include "env/clock.h"
#include "msg/client_mark.h"
#include "roles/client/client.h"

namespace muster::sdk_core {

// One drain or restore that somebody waits for. Written by the client's thread, read by who waits,
// both with the client's mutex held.
struct MarkCall {
    msg::MarkWish wish;
    MonoTime until;  // nobody waits any more
    std::optional<Result<msg::MarkOutcome>> outcome;
};

// Those that are under way: sent over the present connection, and again over every later one until
// the first answer. The registry takes the same request twice for one. Client's thread. Bounds: one
// call per waiting thread.
class MarkCalls {
public:
    struct Env {
        const env::Clock& clock;
        std::function<client::LinkId()> link;  // the present one; zero: none is up
        std::function<void(client::LinkId, const msg::MarkWish&)> send;
        std::function<void(const std::shared_ptr<MarkCall>&, Result<msg::MarkOutcome>)> answer;
    };
    explicit MarkCalls(Env env) : env_(std::move(env)) {}

    // Whether a request, or what answers it, is one of a MarkCalls.
    [[nodiscard]] static bool is_mark(msg::RequestId request);

    void begin(std::shared_ptr<MarkCall> call);
    // Another connection is up.
    void send_again();
    // What nobody waits for any more, or was answered before, is ignored.
    void take(msg::RequestId request, Result<msg::MarkOutcome> outcome);
    // Nobody waits for it any more.
    void forget(const std::shared_ptr<MarkCall>& call);

private:
    void send(msg::RequestId request, const MarkCall& call) const;

    Env env_;
    std::uint64_t last_ = 0;
    std::map<msg::RequestId, std::shared_ptr<MarkCall>> calls_;
};

}  // namespace muster::sdk_core
