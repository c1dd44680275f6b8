#include "sim/world/scheduler.h"

#include <algorithm>
#include <utility>

namespace muster::sim {

bool Scheduler::later(const Due& one, const Due& other) {
    return one.when != other.when ? one.when > other.when : one.number > other.number;
}

void Scheduler::at(MonoTime when, Event event) {
    events_.push_back({std::max(when, now_), ++last_, std::move(event)});
    std::ranges::push_heap(events_, later);
}

void Scheduler::run_until(MonoTime until, const std::function<bool()>& stop) {
    while (!events_.empty() && events_.front().when <= until) {
        std::ranges::pop_heap(events_, later);
        Due due = std::move(events_.back());
        events_.pop_back();
        at_once_ = due.when == now_ ? at_once_ + 1 : 0;
        now_ = due.when;
        due.event();
        ++done_;
        if (stop() || stuck()) {
            return;
        }
    }
    now_ = std::max(now_, until);
}

}  // namespace muster::sim
