#include "store/other_holders.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace muster::store {

const Holder* OtherHolders::find(const RegistId& id, OwnerId owner) const {
    const auto known = holders_.find(id);
    if (known == holders_.end()) {
        return nullptr;
    }
    const auto holder = std::ranges::find(known->second, owner, &Holder::owner);
    return holder == known->second.end() ? nullptr : &*holder;
}

std::optional<Holder> OtherHolders::add(Holder holder) {
    const RegistId id = holder.publication->id;
    std::optional<Holder> gone = remove(id, holder.owner);
    auto& known = holders_[id];
    if (known.size() == kMax) {
        gone = std::move(known.front());
        known.erase(known.begin());
    }
    known.push_back(std::move(holder));
    return gone;
}

std::optional<Holder> OtherHolders::remove(const RegistId& id, OwnerId owner) {
    const auto known = holders_.find(id);
    if (known == holders_.end()) {
        return std::nullopt;
    }
    const auto holder = std::ranges::find(known->second, owner, &Holder::owner);
    if (holder == known->second.end()) {
        return std::nullopt;
    }
    Holder gone = std::move(*holder);
    known->second.erase(holder);
    if (known->second.empty()) {
        holders_.erase(known);
    }
    return gone;
}

std::optional<Holder> OtherHolders::take_newest(const RegistId& id) {
    const auto known = holders_.find(id);
    if (known == holders_.end()) {
        return std::nullopt;
    }
    const auto newest = std::ranges::max_element(
        known->second, {}, [](const Holder& holder) { return holder.publication->order; });
    return remove(id, newest->owner);
}

std::vector<Holder> OtherHolders::remove_if(const RegistId& id, const Which& which) {
    const auto known = holders_.find(id);
    if (known == holders_.end()) {
        return {};
    }
    auto& holders = known->second;
    const auto go = std::stable_partition(holders.begin(), holders.end(),
                                          [&](const Holder& holder) { return !which(holder); });
    std::vector<Holder> gone(std::make_move_iterator(go), std::make_move_iterator(holders.end()));
    holders.erase(go, holders.end());
    if (holders.empty()) {
        holders_.erase(known);
    }
    return gone;
}

void OtherHolders::for_each_of(OwnerId owner,
                               const std::function<void(const Holder&)>& visit) const {
    for (const auto& [id, holders] : holders_) {
        for (const Holder& holder : holders) {
            if (holder.owner == owner) {
                visit(holder);
            }
        }
    }
}

}  // namespace muster::store
