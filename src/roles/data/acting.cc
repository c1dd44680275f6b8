#include <algorithm>

#include "roles/data/data_impl.h"

// In a leader's stead. A session that cannot reach a slot's leader says so (`acting`); a follower
// that does not hear the leader either serves it under the leader's epoch: what it writes gets
// versions above all it has seen, and it removes nothing but what sessions say (I3: the other side
// of the cut has not left). The leader learns of it all from the sessions' digests, so when it is
// heard again the follower only steps down, says so, and takes the leader's state for its own.
namespace muster::data {

// Who has heard the leader lately, or knows a newer table, does not act; neither does who has no
// copy to act with.
bool DataServer::Impl::may_act(const FollowedSlot& slot) const {
    const auto heard = heard_.find(slot.leader);
    return !slot.acting && slot.consistent() && slot.log.position().epoch != Epoch{} &&
           (heard == heard_.end() || env_.clock.mono() - heard->second >= options_.leader_silence);
}

// The slot a session's message is about: led, or acted for when the message asks for that.
LedSlot* DataServer::Impl::serve(SlotId id, bool acting) {
    LedSlot* slot = slots_.find(id);
    if (!acting) {
        return slot == nullptr || slot->acting ? nullptr : slot;
    }
    if (slot != nullptr) {
        return slot;
    }
    const FollowedSlot* followed = slots_.find_followed(id);
    if (followed == nullptr || !may_act(*followed)) {
        return nullptr;
    }
    probe_.actings.add();
    env_.log.warning("data.acting", {{"slot", id.raw()}, {"leader", followed->leader.raw()}});
    LedSlot& begun = slots_.begin_acting(id);
    for (auto& [node, link] : sessions_.all()) {
        link.asked.erase(id);  // the copy is another one than at an earlier time of acting
    }
    return &begun;
}

void DataServer::Impl::end_acting_for(const NodeId& leader) {
    std::vector<SlotId> ended;
    for (const auto& [id, slot] : slots_.followed()) {
        if (slot->acting && slot->leader == leader) {
            ended.push_back(id);
        }
    }
    if (ended.empty()) {
        return;
    }
    for (const SlotId id : ended) {
        slots_.end_acting(id);
    }
    env_.log.info("data.acting.ended", {{"slots", ended.size()}, {"leader", leader.raw()}});
    end_interests(ended, true);
    ask_leaders(env_.clock.mono());
}

}  // namespace muster::data
