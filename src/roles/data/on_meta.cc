#include <algorithm>

#include "roles/data/data_impl.h"

namespace muster::data {

void DataServer::Impl::on(const msg::RoleAddress&, const msg::NodeHeartbeatReply& reply) {
    if (reply.incarnation != options_.incarnation) {
        return;  // meant for an earlier life
    }
    versions_.raise_ceiling(reply.version_ceiling);
    cluster_braking_ = reply.braking;
    report_whole_ = reply.want_copies;
    if (reply.members && reply.members_epoch > members_epoch_) {
        members_ = *reply.members;
        members_epoch_ = reply.members_epoch;
    }
    if (reply.table) {
        take_office(slots_.adopt(*reply.table));
    }
    if (!versions_.exhausted()) {
        settle_all();
    }
    if (reply.want_copies) {
        heartbeat();
    }
}

// A slot that begins serves at once, with the copy we have of it. What sessions own and the copy
// lacks they supply by digest; who holds more than the copy is told only what is written from now
// on, until they have (interests.cc).
void DataServer::Impl::take_office(const Slots::Changes& changes) {
    const MonoTime now = env_.clock.mono();
    for (const SlotId id : changes.begun) {
        LedSlot& slot = *slots_.find(id);
        versions_.merge(slots_.table().slots[id.raw()].floor);
        versions_.merge(slot.store.highest_version());
        find_held(slot);
        if (slot.whole) {
            probe_.promotions.add();
        }
    }
    end_interests(changes.ended, false);
    if (!versions_.exhausted()) {
        answer_early(changes.begun);
    }
    for (const SlotId id : changes.followed) {
        heard_.try_emplace(slots_.find_followed(id)->leader, now);
    }
    ask_leaders(now);
}

// Whether nobody who may come can own anything of the slot that is not known here.
bool DataServer::Impl::all_known(SlotId id, const LedSlot& slot) const {
    return !slot.acting && members_epoch_ != 0 &&
           sessions_.all_supplied(
               members_, id, slot.epoch, env_.clock.mono(),
               {.closed = options_.orphan_grace, .silent = options_.silent_hold});
}

void DataServer::Impl::settle_if_supplied(SlotId id, LedSlot& slot) {
    if (slot.acting || members_epoch_ == 0 || versions_.exhausted() ||
        (slot.settled && slot.doubts.empty())) {
        return;
    }
    if (!slot.settled && sessions_.all_supplied(
                             members_, id, slot.epoch, env_.clock.mono(),
                             {.closed = options_.orphan_grace, .silent = options_.orphan_grace})) {
        slot.settled = true;
        stream(id, slot);
        clear_doubts(slot, false);
    }
    if (slot.settled && !slot.doubts.empty() && all_known(id, slot)) {
        clear_doubts(slot, true);
    }
}

void DataServer::Impl::settle_all() {
    for (auto& [id, slot] : slots_.led()) {
        settle_if_supplied(id, *slot);
    }
}

}  // namespace muster::data
