#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "base/time.h"
#include "env/net.h"

namespace muster::session {

struct HandoverOptions {
    Duration bound = std::chrono::seconds(10);
    // Clients that are closed go by the list of servers they ask for: others must name us no
    // longer.
    Duration list_wait = std::chrono::seconds(1);
    Duration pace = std::chrono::milliseconds(100);
    Duration ask_again = std::chrono::seconds(3);
    // Each step moves one part of this many of those there were, but not fewer than `least`.
    std::size_t steps = 40;
    std::size_t least = 20;
};

// How a session that leaves gets rid of its clients without anybody noticing: those that follow
// hints are asked to go elsewhere and do so without a gap; the others are closed, a share at each
// step, once the lists of servers name us no longer.
//
//   (staying) --begin()--> leaving -- nobody is left, or the bound is reached --> done
//
// Pure: the session asks for each step and carries it out. Loop thread only. Bounds: one entry per
// client that was asked.
class Handover {
public:
    struct Guest {
        env::ConnId conn;
        bool follows_hints = false;
    };
    struct Surroundings {
        bool elsewhere = false;  // other sessions live
        bool unlisted = false;   // the metas agreed that we are leaving
        bool quiet = false;      // nothing of our clients is unacknowledged
    };
    struct Step {
        std::vector<env::ConnId> ask;
        std::vector<env::ConnId> close;
        bool done = false;
    };

    explicit Handover(HandoverOptions options) : options_(options) {}

    void begin(MonoTime now, std::size_t guests);
    [[nodiscard]] bool begun() const {
        return begun_;
    }
    [[nodiscard]] Duration pace() const {
        return options_.pace;
    }

    // What to do now. `guests` are all that are still here, in a stable order.
    [[nodiscard]] Step step(MonoTime now, const std::vector<Guest>& guests,
                            const Surroundings& around);

    // After a pause of our own.
    void extend(Duration gap);

private:
    HandoverOptions options_;
    bool begun_ = false;
    MonoTime since_;
    std::size_t share_ = 0;
    std::map<env::ConnId, MonoTime> asked_;
};

}  // namespace muster::session
