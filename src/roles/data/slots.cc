#include "roles/data/slots.h"

#include <algorithm>

#include "base/check.h"

namespace muster::data {

Slots::Changes Slots::adopt(const SlotTable& table) {
    return take(table, false);
}

Slots::Changes Slots::adopt_kept(const SlotTable& table) {
    return take(table, true);
}

Slots::Changes Slots::take(const SlotTable& table, bool kept) {
    Changes changes;
    if (table.epoch <= table_.epoch) {
        return changes;
    }
    table_ = table;
    for (std::size_t i = 0; i < table_.slots.size(); ++i) {
        const SlotId id(static_cast<std::uint16_t>(i));
        const Slot& slot = table_.slots[i];
        if (slot.leader == self_) {
            if (kept) {
                lost_[id] = slot.epoch;
            }
            lead(id, slot, changes);
        } else if (std::ranges::find(slot.followers, self_) != slot.followers.end()) {
            follow(id, slot, changes);
        } else {
            drop(id, changes);
        }
    }
    return changes;
}

void Slots::lead(SlotId id, const Slot& slot, Changes& changes) {
    if (const auto lost = lost_.find(id); lost != lost_.end()) {
        if (lost->second == slot.epoch) {
            return;
        }
        lost_.erase(lost);
    }
    auto& led = led_[id];
    if (led != nullptr && !led->acting && led->epoch == slot.epoch) {
        std::erase_if(led->followers, [&](const auto& item) {
            return std::ranges::find(slot.followers, item.first) == slot.followers.end();
        });
        return;
    }
    const auto followed = followed_.find(id);
    auto next = std::make_unique<LedSlot>(slot.epoch, kept_);
    if (led != nullptr) {  // led or acted for until now: it goes on with what it has
        next->whole = led->settled || led->whole;
        next->store = std::move(led->store);
        next->log = std::move(led->log);
        next->doubts = std::move(led->doubts);
        next->forked = std::move(led->forked);
        next->let_go = std::move(led->let_go);
    } else if (followed != followed_.end() && followed->second->consistent()) {
        next->whole = followed->second->whole;
        next->store = std::move(followed->second->store);
        next->log = std::move(followed->second->log);
        next->forked = std::move(followed->second->forked);
    }
    recall(id, next->store);
    next->log.begin(slot.epoch);
    led = std::move(next);
    if (followed != followed_.end()) {
        followed_.erase(followed);
    }
    changes.begun.push_back(id);
}

void Slots::follow(SlotId id, const Slot& slot, Changes& changes) {
    lost_.erase(id);
    auto& followed = followed_[id];
    if (followed != nullptr && followed->epoch == slot.epoch && followed->leader == slot.leader) {
        return;
    }
    const auto led = led_.find(id);
    auto next = std::make_unique<FollowedSlot>(kept_);
    if (led != led_.end()) {
        next->whole = led->second->settled || led->second->whole;
        next->diverged = led->second->acting && led->second->wrote;
        next->store = std::move(led->second->store);
        next->log = std::move(led->second->log);
        next->forked = std::move(led->second->forked);
        if (led->second->acting && !next->diverged) {
            next->log.reset(led->second->acts_from, next->store.highest_version());
        }
        next->store.forget_interests();
        led_.erase(led);
        changes.ended.push_back(id);
    } else if (followed != nullptr) {
        next->whole = followed->whole;
        next->diverged = followed->diverged;
        next->whole_from = followed->whole_from;
        next->forked = std::move(followed->forked);
        next->store = std::move(followed->store);
        next->log = std::move(followed->log);
    }
    recall(id, next->store);
    next->epoch = slot.epoch;
    next->leader = slot.leader;
    followed = std::move(next);
    changes.followed.push_back(id);
}

void Slots::drop(SlotId id, Changes& changes) {
    lost_.erase(id);
    if (const auto followed = followed_.find(id); followed != followed_.end()) {
        went_[id] = followed->second->store.tombstones();
        followed_.erase(followed);
    }
    if (const auto led = led_.find(id); led != led_.end()) {
        went_[id] = led->second->store.tombstones();
        led_.erase(led);
        changes.ended.push_back(id);
    }
}

void Slots::recall(SlotId id, store::DatumStore& store) {
    if (const auto went = went_.extract(id)) {
        std::ignore = store.remember_too(went.mapped());
    }
}

void Slots::sweep(MonoTime now, std::size_t most) {
    for (auto& [id, slot] : led_) {
        most -= slot->store.sweep(now, most);
        most -= slot->let_go.sweep(now, most);
    }
    for (auto& [id, slot] : followed_) {
        most -= slot->store.sweep(now, most);
    }
    for (auto& [id, went] : went_) {
        most -= went.sweep(now, most);
    }
    std::erase_if(went_, [](const auto& item) { return item.second.size() == 0; });
}

LedSlot& Slots::lead_again(SlotId slot, store::DatumStore copy, std::uint64_t log_from) {
    const auto lost = lost_.find(slot);
    CHECK(lost != lost_.end());
    auto& led = led_[slot];
    CHECK(led == nullptr);
    led = std::make_unique<LedSlot>(lost->second, kept_);
    led->store = std::move(copy);
    led->log.reset({lost->second, log_from}, led->store.highest_version());
    lost_.erase(lost);
    return *led;
}

LedSlot& Slots::begin_acting(SlotId slot) {
    FollowedSlot* followed = find_followed(slot);
    CHECK(followed != nullptr && !followed->acting && followed->consistent());
    auto& led = led_[slot];
    led = std::make_unique<LedSlot>(followed->epoch, kept_);
    led->acting = true;
    led->acts_from = followed->log.position();
    led->whole = followed->whole && followed->consistent();
    led->store = std::move(followed->store);
    led->log = std::move(followed->log);
    led->log.begin(Epoch{});
    led->forked = std::exchange(followed->forked, {});
    followed->store = {};
    followed->log = store::SlotLog(kept_);
    followed->whole_from = {};
    followed->acting = true;
    followed->in_step = false;
    followed->load = nullptr;
    return *led;
}

void Slots::end_acting(SlotId slot) {
    FollowedSlot* followed = find_followed(slot);
    const auto led = led_.find(slot);
    CHECK(followed != nullptr && followed->acting && led != led_.end());
    followed->acting = false;
    followed->diverged = led->second->wrote;
    followed->whole = led->second->whole;
    followed->store = std::move(led->second->store);
    followed->store.forget_interests();
    followed->log = std::move(led->second->log);
    followed->forked = std::move(led->second->forked);
    if (!followed->diverged) {
        followed->log.reset(led->second->acts_from, followed->store.highest_version());
    }
    followed->asked = MonoTime{};
    led_.erase(led);
}

LedSlot* Slots::find(SlotId slot) {
    const auto found = led_.find(slot);
    return found == led_.end() ? nullptr : found->second.get();
}

LedSlot* Slots::find(const Service& service) {
    return table_.slots.empty() ? nullptr : find(slot_of(service, table_.slots.size()));
}

FollowedSlot* Slots::find_followed(SlotId slot) {
    const auto found = followed_.find(slot);
    return found == followed_.end() ? nullptr : found->second.get();
}

std::optional<SlotId> Slots::id_of(const Service& service) const {
    return table_.slots.empty() ? std::nullopt
                                : std::optional(slot_of(service, table_.slots.size()));
}

Epoch Slots::epoch_of(SlotId slot) const {
    return slot.raw() < table_.slots.size() ? table_.slots[slot.raw()].epoch : Epoch{};
}

}  // namespace muster::data
