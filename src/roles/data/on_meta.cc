#include <algorithm>

#include "roles/data/data_impl.h"

namespace muster::data {

void DataServer::Impl::on(const msg::RoleAddress&, const msg::NodeHeartbeatReply& reply) {
    if (reply.incarnation != options_.incarnation) {
        return;  // meant for an earlier life
    }
    versions_.raise_ceiling(reply.version_ceiling);
    if (reply.members && reply.members_epoch > members_epoch_) {
        members_ = *reply.members;
        members_epoch_ = reply.members_epoch;
    }
    if (reply.table) {
        begin_slots(slots_.adopt(*reply.table));
    }
    settle_what_is_complete();
}

void DataServer::Impl::begin_slots(const std::vector<SlotId>& begun) {
    for (const SlotId id : begun) {
        versions_.merge(slots_.table().slots[id.raw()].floor);
    }
    // Sessions may have declared interest in them before this table reached us.
    for (auto& [node, link] : sessions_.all()) {
        for (const auto& [name, interest] : link.interests) {
            const SlotId id = slot_of(*interest.service, slots_.table().slots.size());
            if (!std::ranges::binary_search(begun, id)) {
                continue;
            }
            auto& datum = slots_.find(id)->store.find_or_make(interest.service);
            ++datum.interested;
            answer_interest(link, {.service = interest.service});
        }
    }
}

void DataServer::Impl::settle_what_is_complete() {
    if (members_epoch_ == 0 || versions_.exhausted()) {
        return;
    }
    for (auto& [id, slot] : slots_.led()) {
        if (!slot->settled && sessions_.all_complete(members_, id, slot->epoch)) {
            settle(*slot);
        }
    }
}

// From now on absence has a meaning, so everything told before gets a new version and is told
// whole.
void DataServer::Impl::settle(LedSlot& slot) {
    slot.settled = true;
    for (auto& [name, datum] : slot.store.data()) {
        datum.version = versions_.next(env_.clock.wall());
        if (datum.interested > 0) {
            tell(datum, snapshot_of(datum, true));
        }
    }
}

}  // namespace muster::data
