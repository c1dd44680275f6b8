#include "watcher.h"

#include <algorithm>

#include <unistd.h>

#include "client_frames.h"
#include "process.h"

namespace muster::bench {
namespace {

constexpr std::size_t kAtOnce = 200;
constexpr Duration kPatience = std::chrono::seconds(30);

}  // namespace

void Watcher::subscribe(const std::vector<Service>& services) {
    for (std::size_t begin = 0; begin < services.size(); begin += kAtOnce) {
        const std::size_t end = std::min(begin + kAtOnce, services.size());
        const std::uint64_t wanted = shown_ + (end - begin);
        for (std::size_t i = begin; i < end; ++i) {
            connection_.send(
                native_subscribe(services[i], "subscriber-" + std::to_string(++subscriptions_)));
        }
        const Duration since = now();
        while (shown_ < wanted) {
            drain();
            if (now() - since > kPatience) {
                die("a subscriber was not shown its lists in half a minute");
            }
            ::usleep(200);
        }
    }
}

void Watcher::drain() {
    connection_.drain([&](const bolt::Frame& frame) {
        if (is_push(frame)) {
            connection_.send(native_ack(frame));
            ++shown_;
        }
    });
}

}  // namespace muster::bench
