#include "store/removal_brake.h"

#include <algorithm>

#include <fmt/format.h>

namespace muster::store {

void RemovalBrake::forget_old(Key& key, MonoTime now) const {
    while (!key.passed.empty() && now - key.passed.front().at >= limits_.window) {
        key.sum -= key.passed.front().removals;
        key.passed.pop_front();
    }
    if (key.trip && now - key.last_asked >= limits_.window) {
        key.trip.reset();
    }
}

bool RemovalBrake::too_many(std::size_t gone, std::size_t lived) const {
    return gone > limits_.count && gone * 100 > limits_.percent * lived;
}

bool RemovalBrake::admit(const std::string& key, std::size_t removals, std::size_t living,
                         MonoTime now) {
    Key& known = keys_[key];
    forget_old(known, now);
    known.last_asked = now;
    const std::size_t gone = known.sum + removals;
    const std::size_t lived = known.sum + living;
    if (!known.trip && too_many(gone, lived)) {
        known.trip = Trip{.since = now, .gone = gone, .lived = lived};
    }
    if (known.trip) {
        return false;
    }
    known.sum = gone;
    if (!known.passed.empty() && known.passed.back().at == now) {
        known.passed.back().removals += removals;
    } else {
        known.passed.push_back({now, removals});
    }
    return true;
}

std::size_t RemovalBrake::admit_some(const std::string& key, std::size_t removals,
                                     std::size_t living, MonoTime now) {
    std::size_t some = 0;
    while (some < removals && admit(key, 1, living - std::min(living, some), now)) {
        ++some;
    }
    return some;
}

bool RemovalBrake::braking(const std::string& key) const {
    return trip(key).has_value();
}

std::optional<RemovalBrake::Trip> RemovalBrake::trip(const std::string& key) const {
    const auto found = keys_.find(key);
    return found == keys_.end() ? std::nullopt : found->second.trip;
}

std::string RemovalBrake::why(const Trip& trip, std::string_view what) const {
    return fmt::format("{} of {} {} closed or fell silent within {} s", trip.gone, trip.lived, what,
                       to_ms(limits_.window) / 1000);
}

void RemovalBrake::sweep(MonoTime now) {
    for (auto item = keys_.begin(); item != keys_.end();) {
        forget_old(item->second, now);
        const bool over = item->second.passed.empty() && !item->second.trip;
        item = over ? keys_.erase(item) : std::next(item);
    }
}

void RemovalBrake::extend(Duration gap) {
    for (auto& [name, key] : keys_) {
        key.last_asked += gap;
        if (key.trip) {
            key.trip->since += gap;
        }
        for (Passed& passed : key.passed) {
            passed.at += gap;
        }
    }
}

std::size_t RemovalBrake::keys_braking() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        keys_, [](const auto& item) { return item.second.trip.has_value(); }));
}

}  // namespace muster::store
