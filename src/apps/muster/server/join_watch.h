#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/log.h"
#include "env/clock.h"
#include "env/timers.h"

namespace muster::cli {

// Says in the log what this node waits for before it can serve, again now and then as long as it
// does, and when it is over. Owned by the process; loop thread only.
class JoinWatch final : public env::TimerTarget {
public:
    struct Env {
        const env::Clock& clock;
        env::Timers& timers;  // bound to this by the owner
        Log log;
    };
    // `look` is called at every beat; it gives what is waited for, if anything.
    using Look = std::function<std::optional<std::string>()>;

    JoinWatch(Env env, Look look);

    void start();
    void on_timer(env::TimerKey key) override;

private:
    Env env_;
    Look look_;
    MonoTime since_;  // it waits, or does not
    bool waits_ = true;
    std::optional<MonoTime> said_;
};

}  // namespace muster::cli
