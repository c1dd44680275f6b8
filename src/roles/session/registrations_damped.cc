#include "roles/session/registrations.h"

// Registrations of instances that come and go too often (docs/adr/0012).
namespace muster::session {

bool Registrations::damps(const Publication& offered, MonoTime now) {
    return damping_ != nullptr &&
           damping_->damps(offered, {.damped = damped_.size(), .all = registrations_.size()}, now);
}

std::vector<Registrations::Op> Registrations::release_damped(MonoTime now) {
    std::vector<Op> ops;
    for (auto next = damped_.begin(); next != damped_.end();) {
        Registration& registration = registrations_.at(next->first);
        if (now < next->second.shown_at || registration.suspect || registration.departed) {
            ++next;
            continue;
        }
        registration.damped = false;
        count(registration);
        damping_->shown(*registration.publication);
        ops.push_back(tell(registration));
        next = damped_.erase(next);
    }
    return ops;
}

void Registrations::for_each_damped(
    const std::function<void(const Publication&, const Damped&)>& visit) const {
    for (const auto& [id, damped] : damped_) {
        visit(*registrations_.at(id).publication, damped);
    }
}

}  // namespace muster::session
