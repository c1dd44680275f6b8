#include "apps/muster/bench/steady_witness.h"

namespace muster::cli::bench {

SteadyWitness::SteadyWitness(std::uint64_t services, std::uint64_t subscribers)
    : services_(services), seen_(services * subscribers), changes_(services, subscribers) {}

void SteadyWitness::said(std::uint32_t service, std::uint32_t state, Duration due) {
    const std::lock_guard hold(mutex_);
    if (state > 1) {
        changes_.begin(service, state, due);
    }
}

void SteadyWitness::shown(std::uint64_t subscriber, std::uint32_t service, std::uint32_t state,
                          Duration at) {
    const std::lock_guard hold(mutex_);
    ++verdict_.lists;
    Seen& seen = seen_[subscriber * services_ + service];
    if (state == 0) {
        verdict_.false_removals += seen.there ? 1 : 0;
        seen.there = false;
        return;
    }
    seen.there = true;
    if (state < seen.newest) {
        ++verdict_.backward;
        return;
    }
    reached_ += seen.newest == 0 ? 1 : 0;
    changes_.shown(service, seen.newest, state, at);
    seen.newest = state;
}

std::uint64_t SteadyWitness::reached() const {
    const std::lock_guard hold(mutex_);
    return reached_;
}

std::uint64_t SteadyWitness::open() const {
    const std::lock_guard hold(mutex_);
    return changes_.open();
}

std::uint64_t SteadyWitness::begun() const {
    const std::lock_guard hold(mutex_);
    return changes_.begun();
}

SteadyWitness::Verdict SteadyWitness::verdict() const {
    const std::lock_guard hold(mutex_);
    Verdict told = verdict_;
    told.to_each = changes_.to_each();
    told.to_last = changes_.to_last();
    return told;
}

}  // namespace muster::cli::bench
