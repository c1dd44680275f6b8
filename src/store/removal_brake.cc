#include "store/removal_brake.h"

#include <algorithm>

namespace muster::store {

void RemovalBrake::forget_old(Key& key, MonoTime now) const {
    while (!key.passed.empty() && now - key.passed.front().at >= limits_.window) {
        key.sum -= key.passed.front().removals;
        key.passed.pop_front();
    }
    if (key.braking && now - key.last_asked >= limits_.window) {
        key.braking = false;
    }
}

bool RemovalBrake::admit(const std::string& key, std::size_t removals, std::size_t living,
                         MonoTime now) {
    Key& known = keys_[key];
    forget_old(known, now);
    known.last_asked = now;
    const std::size_t gone = known.sum + removals;
    const double lived = static_cast<double>(known.sum + living);
    known.braking = known.braking ||
                    (gone > limits_.count && static_cast<double>(gone) > limits_.share * lived);
    if (known.braking) {
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

bool RemovalBrake::braking(const std::string& key) const {
    const auto found = keys_.find(key);
    return found != keys_.end() && found->second.braking;
}

void RemovalBrake::sweep(MonoTime now) {
    for (auto item = keys_.begin(); item != keys_.end();) {
        forget_old(item->second, now);
        const bool over = item->second.passed.empty() && !item->second.braking;
        item = over ? keys_.erase(item) : std::next(item);
    }
}

void RemovalBrake::extend(Duration gap) {
    for (auto& [name, key] : keys_) {
        key.last_asked += gap;
        for (Passed& passed : key.passed) {
            passed.at += gap;
        }
    }
}

std::size_t RemovalBrake::keys_braking() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(keys_, [](const auto& item) { return item.second.braking; }));
}

}  // namespace muster::store
