#include "roles/session/handover.h"

#include <algorithm>

namespace muster::session {

void Handover::begin(MonoTime now, std::size_t guests) {
    if (begun_) {
        return;
    }
    begun_ = true;
    since_ = now;
    share_ = std::max(options_.least, (guests + options_.steps - 1) / options_.steps);
}

Handover::Step Handover::step(MonoTime now, const std::vector<Guest>& guests,
                              const Surroundings& around) {
    Step step;
    const bool late = now - since_ >= options_.bound;
    if (late || !around.elsewhere) {
        step.done = true;  // the end of the process closes who is left
        return step;
    }
    const bool listed = !around.unlisted && now - since_ < options_.list_wait;
    if (guests.empty()) {
        step.done = around.quiet && !listed;
        return step;
    }
    for (const Guest& guest : guests) {
        if (!guest.follows_hints) {
            if (!listed && step.close.size() < share_) {
                step.close.push_back(guest.conn);
            }
            continue;
        }
        const auto asked = asked_.find(guest.conn);
        const bool due = asked == asked_.end() || now - asked->second >= options_.ask_again;
        if (due && step.ask.size() < share_) {
            asked_[guest.conn] = now;
            step.ask.push_back(guest.conn);
        }
    }
    return step;
}

void Handover::extend(Duration gap) {
    since_ += gap;
    for (auto& [conn, at] : asked_) {
        at += gap;
    }
}

}  // namespace muster::session
