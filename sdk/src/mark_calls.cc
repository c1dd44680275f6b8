#include "mark_calls.h"

#include <algorithm>
#include <utility>

namespace muster::sdk_core {
namespace {

// Ids of bolt frames have 32 bits: above those of the role's requests and of heartbeats.
constexpr std::uint64_t kIds = 0x8000'0000;

}  // namespace

bool MarkCalls::is_mark(msg::RequestId request) {
    return request.raw() >= kIds;
}

void MarkCalls::begin(std::shared_ptr<MarkCall> call) {
    last_ = (last_ + 1) % kIds;
    const msg::RequestId request(kIds + last_);
    const auto& kept = calls_[request] = std::move(call);
    send(request, *kept);
}

void MarkCalls::send_again() {
    for (const auto& [request, call] : calls_) {
        send(request, *call);
    }
}

// It is asked to wait no longer than who asked does.
void MarkCalls::send(msg::RequestId request, const MarkCall& call) const {
    const client::LinkId link = env_.link();
    if (link == client::LinkId{}) {
        return;
    }
    const Duration left = std::max(call.until - env_.clock.mono(), Duration{});
    msg::MarkWish wish = call.wish;
    wish.request = request;
    wish.timeout = std::min(wish.timeout, left);
    env_.send(link, wish);
}

void MarkCalls::take(msg::RequestId request, Result<msg::MarkOutcome> outcome) {
    if (const auto call = calls_.extract(request)) {
        env_.answer(call.mapped(), std::move(outcome));
    }
}

void MarkCalls::forget(const std::shared_ptr<MarkCall>& call) {
    std::erase_if(calls_, [&](const auto& item) { return item.second == call; });
}

}  // namespace muster::sdk_core
