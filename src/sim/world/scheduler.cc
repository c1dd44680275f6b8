#include "sim/world/scheduler.h"

#include <algorithm>

namespace muster::sim {

void Scheduler::at(MonoTime when, Event event) {
    events_.emplace(std::pair(std::max(when, now_), ++last_), std::move(event));
}

void Scheduler::run_until(MonoTime until, const std::function<bool()>& stop) {
    while (!events_.empty() && events_.begin()->first.first <= until) {
        auto event = events_.extract(events_.begin());
        now_ = event.key().first;
        event.mapped()();
        ++done_;
        if (stop()) {
            return;
        }
    }
    now_ = std::max(now_, until);
}

}  // namespace muster::sim
