#include "apps/muster/bench/steady_witness.h"

#include <algorithm>

#include <fmt/format.h>

namespace muster::cli::bench {

SteadyWitness::SteadyWitness(const Size& size)
    : size_(size),
      said_(size.services * size.instances),
      seen_(said_.size() * size.subscribers),
      strangers_(size.services * size.subscribers),
      news_(size.subscribers),
      changes_(said_.size(), size.subscribers) {
    changes_.on_shown([this](Duration due, Duration at) {
        if (outage_) {
            outage_->add(due, at);
            hearing_->behind = std::max(hearing_->behind, at - due);
        }
    });
}

void SteadyWitness::said(std::uint32_t service, std::uint32_t instance, std::uint32_t state,
                         Duration due) {
    const std::lock_guard hold(mutex_);
    said_[item(service, instance)] = state;
    if (state > 1) {
        changes_.begin(static_cast<std::uint32_t>(item(service, instance)), state, due);
    }
}

void SteadyWitness::begin(Duration at) {
    const std::lock_guard hold(mutex_);
    outage_.emplace(at);
    for (News& news : news_) {
        news.last = at;
    }
}

void SteadyWitness::shown(std::uint64_t subscriber, std::uint32_t service, const List& list,
                          Duration at) {
    const std::lock_guard hold(mutex_);
    ++verdict_.lists;
    strangers_[subscriber * size_.services + service] = list.strangers;
    hearing_ = &news_[subscriber];
    bool newer = false;
    for (std::uint32_t instance = 0; instance < size_.instances; ++instance) {
        const std::size_t number = item(service, instance);
        const std::uint32_t state = instance < list.states.size() ? list.states[instance] : 0;
        newer = see(seen_[subscriber * said_.size() + number], number, state, at) || newer;
    }
    if (newer && outage_) {
        hearing_->longest = std::max(hearing_->longest, at - hearing_->last);
        hearing_->last = at;
    }
}

// Whether that is a newer state than before.
bool SteadyWitness::see(Seen& seen, std::size_t item, std::uint32_t state, Duration at) {
    if (state == 0) {
        verdict_.false_removals += seen.now > 0 ? 1 : 0;
        seen.now = 0;
        return false;
    }
    verdict_.backward += state < seen.newest && state != seen.now ? 1 : 0;
    seen.now = state;
    if (state <= seen.newest) {
        return false;
    }
    reached_ += seen.newest == 0 ? 1 : 0;
    changes_.shown(static_cast<std::uint32_t>(item), seen.newest, state, at);
    seen.newest = state;
    return true;
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
    for (const News& news : news_) {
        told.without_news.add(news.longest);
        told.behind.add(news.behind);
    }
    if (outage_ && changes_.open() == 0) {
        told.to_equal = outage_->to_equal();
    }
    return told;
}

SetDigest SteadyWitness::element(std::size_t item, std::uint32_t state) {
    return digest_of(fmt::format("{}={}", item, state));
}

SteadyWitness::Views SteadyWitness::views() const {
    const std::lock_guard hold(mutex_);
    Views views;
    for (std::size_t item = 0; item < said_.size(); ++item) {
        views.said.add(element(item, said_[item]));
    }
    for (std::uint64_t subscriber = 0; subscriber < size_.subscribers; ++subscriber) {
        SetDigest shown;
        for (std::size_t item = 0; item < said_.size(); ++item) {
            if (const auto state = seen_[subscriber * said_.size() + item].now; state > 0) {
                shown.add(element(item, state));
            }
        }
        for (std::uint64_t service = 0; service < size_.services; ++service) {
            shown.add(strangers_[subscriber * size_.services + service]);
        }
        if (shown != views.said) {
            views.others.push_back(subscriber);
        }
    }
    if (!views.others.empty()) {
        views.difference = difference_of(views.others.front());
    }
    return views;
}

std::string SteadyWitness::difference_of(std::uint64_t subscriber) const {
    for (std::size_t item = 0; item < said_.size(); ++item) {
        const std::uint32_t now = seen_[subscriber * said_.size() + item].now;
        if (now != said_[item]) {
            return fmt::format(
                "subscriber {} is shown {} of instance {} of service {}, which said "
                "state {} last",
                subscriber + 1, now == 0 ? std::string("nothing") : fmt::format("state {}", now),
                item % size_.instances + 1, item / size_.instances + 1, said_[item]);
        }
    }
    return fmt::format("subscriber {} is shown instances that nobody published", subscriber + 1);
}

}  // namespace muster::cli::bench
