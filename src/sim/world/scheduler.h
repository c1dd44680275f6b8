#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/time.h"

namespace muster::sim {

// Virtual time: what is to happen, ordered by (time, number of the call that said so). One thread,
// nothing random, so the same calls give the same order. Bounded by what the world puts into it.
class Scheduler {
public:
    using Event = std::move_only_function<void()>;

    [[nodiscard]] MonoTime now() const {
        return now_;
    }

    // Carried out at `when`, or now when that is past; behind everything said earlier for then.
    void at(MonoTime when, Event event);
    void after(Duration delay, Event event) {
        at(now_ + delay, std::move(event));
    }

    // Carries out everything that is due up to and including `until`, or until `stop` says so after
    // an event; time stands at `until` then, or at the last event.
    void run_until(MonoTime until, const std::function<bool()>& stop);

    // Somebody answers every event with another one at once: time does not go on.
    [[nodiscard]] bool stuck() const {
        return at_once_ > kAtOnceMax;
    }
    [[nodiscard]] std::uint64_t events_done() const {
        return done_;
    }

private:
    static constexpr std::uint64_t kAtOnceMax = 1'000'000;

    MonoTime now_{std::chrono::seconds(1)};
    std::uint64_t at_once_ = 0;  // events since time went on
    std::uint64_t last_ = 0;
    std::uint64_t done_ = 0;
    struct Due {
        MonoTime when;
        std::uint64_t number = 0;
        Event event;
    };
    static bool later(const Due& one, const Due& other);

    std::vector<Due> events_;  // a heap, the next one first
};

}  // namespace muster::sim
