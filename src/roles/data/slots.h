#pragma once

#include <map>
#include <memory>
#include <vector>

#include "model/cluster.h"
#include "model/ids.h"
#include "store/change_log.h"
#include "store/datum_store.h"

namespace muster::data {

// One slot this node leads.
struct LedSlot {
    LedSlot(Epoch leader_epoch, std::size_t changes_kept)
        : epoch(leader_epoch), log(changes_kept) {}

    Epoch epoch;
    bool settled = false;
    store::DatumStore store;
    store::ChangeLog log;
};

// The slots this node leads by the newest table it has seen.
class Slots {
public:
    Slots(NodeId self, std::size_t changes_kept) : self_(std::move(self)), kept_(changes_kept) {}

    // Takes a newer table: slots of a new epoch begin empty and unsettled, those no longer ours are
    // dropped. Returns the slots that began; an older table changes nothing.
    std::vector<SlotId> adopt(const SlotTable& table);

    [[nodiscard]] const SlotTable& table() const {
        return table_;
    }
    [[nodiscard]] LedSlot* find(SlotId slot);
    [[nodiscard]] LedSlot* find(const Service& service);
    // The epoch of `slot` in the table; zero when there is none.
    [[nodiscard]] Epoch epoch_of(SlotId slot) const;

    [[nodiscard]] std::map<SlotId, std::unique_ptr<LedSlot>>& led() {
        return led_;
    }
    [[nodiscard]] const std::map<SlotId, std::unique_ptr<LedSlot>>& led() const {
        return led_;
    }

private:
    NodeId self_;
    std::size_t kept_;
    SlotTable table_;
    std::map<SlotId, std::unique_ptr<LedSlot>> led_;
};

}  // namespace muster::data
