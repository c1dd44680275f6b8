#include "apps/muster/server/join_watch.h"

#include <utility>

namespace muster::cli {
namespace {

constexpr env::TimerKey kBeat(0);
constexpr Duration kBeatInterval = std::chrono::milliseconds(100);
constexpr Duration kSayAfter = std::chrono::seconds(2);  // a start of all nodes takes less
constexpr Duration kSayAgain = std::chrono::seconds(10);

}  // namespace

JoinWatch::JoinWatch(Env env, Look look) : env_(env), look_(std::move(look)) {}

void JoinWatch::start() {
    since_ = env_.clock.mono();
    env_.timers.arm(kBeat, kBeatInterval);
}

void JoinWatch::on_timer(env::TimerKey /*key*/) {
    env_.timers.arm(kBeat, kBeatInterval);
    const auto what = look_();
    const MonoTime now = env_.clock.mono();
    if (what.has_value() != waits_) {
        if (waits_) {
            env_.log.info("server.ready", {{"after_ms", to_ms(now - since_)}});
        }
        waits_ = what.has_value();
        since_ = now;
        said_.reset();
    }
    if (waits_ && now - since_ >= kSayAfter && (!said_ || now - *said_ >= kSayAgain)) {
        said_ = now;
        env_.log.warning("server.waits", {{"for", *what}, {"seconds", to_ms(now - since_) / 1000}});
    }
}

}  // namespace muster::cli
