#include "roles/data/slots.h"

namespace muster::data {

std::vector<SlotId> Slots::adopt(const SlotTable& table) {
    std::vector<SlotId> begun;
    if (table.epoch <= table_.epoch) {
        return begun;
    }
    table_ = table;
    for (std::size_t i = 0; i < table_.slots.size(); ++i) {
        const SlotId id(static_cast<std::uint16_t>(i));
        const Slot& slot = table_.slots[i];
        if (slot.leader != self_) {
            led_.erase(id);
            continue;
        }
        auto& led = led_[id];
        if (led == nullptr || led->epoch < slot.epoch) {
            led = std::make_unique<LedSlot>(slot.epoch, kept_);
            begun.push_back(id);
        }
    }
    return begun;
}

LedSlot* Slots::find(SlotId slot) {
    const auto found = led_.find(slot);
    return found == led_.end() ? nullptr : found->second.get();
}

LedSlot* Slots::find(const Service& service) {
    return table_.slots.empty() ? nullptr : find(slot_of(service, table_.slots.size()));
}

Epoch Slots::epoch_of(SlotId slot) const {
    return slot.raw() < table_.slots.size() ? table_.slots[slot.raw()].epoch : Epoch{};
}

}  // namespace muster::data
