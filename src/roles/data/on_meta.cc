#include <algorithm>

#include "roles/data/data_impl.h"

namespace muster::data {
namespace {

// Longer than the metas need to see that a leader is dead.
constexpr Duration kCopyTrusted = std::chrono::seconds(5);

}  // namespace

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::NodeHeartbeatReply& reply) {
    const auto news = view_.take(from.node, reply, env_.clock.mono());
    if (!news.answered) {
        return;  // meant for an earlier life
    }
    versions_.raise_ceiling(view_.ceiling());
    versions_.merge(view_.reserved_before());
    cluster_braking_ = reply.braking;
    report_whole_ = reply.want_copies;
    learn(news);
    if (!versions_.exhausted()) {
        settle_all();
    }
    catch_up();
    if (reply.want_copies) {
        heartbeat();
    }
}

void DataServer::Impl::on(const msg::RoleAddress&, const msg::NodeRefused& refused) {
    view_.take(refused, env_.clock.mono());
}

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::ViewRequest& request) {
    view_.answer(from, request);
}

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::ViewReply& told) {
    const auto news = view_.take(from.node, told, env_.clock.mono());
    versions_.raise_ceiling(view_.ceiling());
    learn_members(news);
    if (news.table) {
        adopt_newer_table();
    }
}

void DataServer::Impl::adopt_newer_table() {
    doubt_old_copies();
    take_office(slots_.adopt(view_.table()));
    regain_.keep_only(slots_.lost());
}

void DataServer::Impl::learn_members(const node::NodeView::News& news) {
    if (news.members) {
        sessions_.learn(view_.members(), env_.clock.mono());
        if (env_.on_members) {
            env_.on_members(view_.members());
        }
    }
}

void DataServer::Impl::learn(const node::NodeView::News& news) {
    learn_members(news);
    if (!news.table) {
        return;
    }
    if (news.answered) {
        adopt_newer_table();
        return;
    }
    // What the earlier life gave is below the mark; nothing else of it is known.
    versions_.raise_ceiling(view_.ceiling());
    versions_.begin_at(view_.reserved_before());
    kept_since_ = env_.clock.mono();
    take_office(slots_.adopt_kept(view_.table()));
    begin_regain(*kept_since_);
}

// A copy that is behind its leader, or has not heard it for long, may lack much of what left since:
// led from, it makes no statement before the sessions have told what they own.
void DataServer::Impl::doubt_old_copies() {
    const MonoTime now = env_.clock.mono();
    for (auto& [id, slot] : slots_.followed()) {
        const auto heard = heard_.find(slot->leader);
        if (!slot->synced() || heard == heard_.end() || now - heard->second >= kCopyTrusted) {
            slot->doubt();
        }
    }
}

// A slot that begins serves at once, with the copy we have of it. What sessions own and the copy
// lacks they supply by digest; from who holds more than the copy nothing is taken away until they
// have (answers.cc).
void DataServer::Impl::take_office(const Slots::Changes& changes) {
    const MonoTime now = env_.clock.mono();
    const auto leads = [](const auto& item) { return !item.second->acting; };
    if (std::cmp_equal(std::ranges::count_if(slots_.led(), leads), changes.begun.size())) {
        sessions_.forgive_silence(now);  // they speak to leaders only: it began with the office
    }
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
    keep_reserve();
    if (versions_.exhausted()) {
        begun_early_.insert(changes.begun.begin(), changes.begun.end());
    } else {
        answer_early(changes.begun);
    }
    for (const SlotId id : changes.followed) {
        heard_.try_emplace(slots_.find_followed(id)->leader, now);
    }
    ask_leaders(now);
}

// By members that may be old a slot is not settled before others had time to show themselves, nor
// without what those have who did.
bool DataServer::Impl::may_settle(SlotId id, const LedSlot& slot) const {
    if (view_.members_epoch() == 0) {
        return false;
    }
    return !view_.from_kept() || (env_.clock.mono() - *kept_since_ >= options_.orphan_grace &&
                                  sessions_.all_heard_supplied(id, slot.epoch));
}

// Whether all sessions have supplied what they own, but those that are gone: one that fell silent
// for `patience`.
bool DataServer::Impl::all_supplied(SlotId id, const LedSlot& slot, Duration patience) const {
    return may_settle(id, slot) &&
           sessions_.all_supplied(id, slot.epoch, env_.clock.mono(),
                                  {.closed = options_.orphan_grace, .silent = patience});
}

// Whether nobody who may come can own anything of the slot that is not known here.
bool DataServer::Impl::all_known(SlotId id, const LedSlot& slot) const {
    return all_supplied(id, slot, options_.silent_hold);
}

void DataServer::Impl::settle_if_supplied(SlotId id, LedSlot& slot) {
    if (slot.acting || versions_.exhausted() || (slot.settled && slot.doubts.empty())) {
        return;
    }
    if (!all_known(id, slot) || (!slot.settled && holds_orphans(slot))) {
        return;
    }
    if (!slot.settled) {
        drop_unclaimed(id);  // else the statement would name it
        slot.settled = true;
        for (auto& [node, follower] : slot.followers) {
            follower.believes_settled.reset();
        }
        stream(id, slot);
    }
    clear_doubts(slot);
}

// Others may have taken writes of this slot in our stead: whether we know all is asked anew, and
// until then absence is no statement, for our followers neither.
void DataServer::Impl::ask_supply_again(SlotId id, LedSlot& slot) {
    slot.supply_round = round_;
    slot.settled = false;
    slot.whole = false;
    for (auto& [node, link] : sessions_.all()) {
        link.supplied.erase(id);
        if (const auto asked = link.asked.find(id); asked != link.asked.end()) {
            asked->second.after = {};  // from the beginning
        }
    }
    for (auto& [node, follower] : slot.followers) {
        follower.believes_settled.reset();
        if (follower.life != Incarnation{}) {
            stream_to(node, id, slot, follower);
        }
    }
}

// A session has been told a version that we did not give: so another acted for us until then.
void DataServer::Impl::note_given_beside(SlotId id, LedSlot& slot, Version seen) {
    if (!slot.acting && store::given_apart(seen) && seen > slot.given_beside) {
        slot.given_beside = seen;
        ++round_;
        ask_supply_again(id, slot);
    }
}

void DataServer::Impl::settle_all() {
    for (auto& [id, slot] : slots_.led()) {
        settle_if_supplied(id, *slot);
    }
}

}  // namespace muster::data
