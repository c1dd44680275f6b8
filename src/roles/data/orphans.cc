#include <algorithm>

#include "roles/data/data_impl.h"

// Publications whose session went. One that ended leaves *orphans*: its clients are on their way to
// other sessions, which take over what they bring; what is left after the grace goes as silent. One
// that merely fell silent may live behind a cut and serve its clients there, so what it owns is
// *held* until it is heard again, or for so long that nobody will come (I3, I4). None of it goes
// before those who may have taken it over have said what they own.
//
// The same holds for what a session that is there says to be silent, or does not list any more: it
// may have let go of it because its client is with another one. Until all have said what they own
// it is *unclaimed*: nobody's (store::kNobody), and kept.
namespace muster::data {

void DataServer::Impl::look_after_sessions(MonoTime now) {
    sessions_.note_silent(now, options_.session_silence);
    if (versions_.exhausted()) {
        return;
    }
    std::map<store::OwnerId, MonoTime> departed;
    absent_.clear();
    for (auto& [id, slot] : slots_.led()) {
        if (slot->acting) {
            continue;
        }
        std::vector<store::OwnerId> over;
        for (const auto& [owner, digest] : slot->store.owners()) {
            if (owner == store::kNobody) {
                continue;
            }
            const NodeId& node = owners_.session(owner);
            const SessionLink* link = sessions_.find(node);
            const auto gone = sessions_.gone(node);
            if (link != nullptr && owner == link->owner && !gone) {
                continue;
            }
            const auto known = departed_.find(owner);
            const MonoTime since = known == departed_.end() ? now : known->second;
            departed[owner] = since;
            // What an earlier life left goes once the life after it has supplied the slot: it knows
            // best whether its clients had time to come back (it may have stood still itself, or be
            // the third life in a row).
            const bool outlived = link != nullptr && store::succeeds(link->owner, owner);
            absent_[id][owner] = ended(owner) ? GoneReason::closed : GoneReason::silent;
            if (outlived && !gone) {
                if (now - since >= options_.orphan_grace && link->has_supplied(id, slot->epoch)) {
                    over.push_back(owner);
                }
            } else if (gone) {
                const Duration hold = gone->reason == GoneReason::closed ? options_.orphan_grace
                                                                         : options_.silent_hold;
                if (now - gone->since >= hold) {
                    over.push_back(owner);
                }
            } else {
                sessions_.note_gone(node, GoneReason::silent, now);
            }
        }
        if (over.empty() || !heirs_known(id, *slot)) {
            continue;
        }
        for (const store::OwnerId owner : over) {
            remove_owner(id, *slot, owner);
        }
    }
    departed_ = std::move(departed);
    look_after_unclaimed();
}

// Whether that life of its session is over, as far as is known.
bool DataServer::Impl::ended(store::OwnerId owner) const {
    if (owner == store::kNobody) {
        return false;
    }
    const NodeId& node = owners_.session(owner);
    const SessionLink* link = sessions_.find(node);
    const auto gone = sessions_.gone(node);
    return (link != nullptr && store::succeeds(link->owner, owner)) ||
           (gone && gone->reason == GoneReason::closed);
}

// Makes it nobody's, `since` a wall clock's time or kUnclaimed.
void DataServer::Impl::disown(LedSlot& slot, const store::DatumStore::Datum& datum,
                              const PublicationPtr& publication, std::uint64_t since,
                              RemovalCause cause, Turn& turn) {
    const store::Write write{.id = publication->id,
                             .service = datum.service,
                             .publication = publication,
                             .order = publication->order,
                             .owner = store::kNobody,
                             .owner_seq = since};
    slot.store.install(write, env_.clock.mono());
    Written& written = turn.written[datum.service->data_info_id()];
    written.service = datum.service;
    written.effects.push_back({.id = {},
                               .publication = write.publication,
                               .order = write.order,
                               .owner = write.owner,
                               .owner_seq = write.owner_seq,
                               .visible = false});
    remember(turn, written, HistoryRecord::What::held, publication, cause);
}

// Removes what is nobody's.
void DataServer::Impl::drop_nobodys(LedSlot& slot, const ServicePtr& service,
                                    const store::DatumStore::Entry& entry, Turn& turn) {
    const store::Write write{.id = entry.publication->id,
                             .service = service,
                             .publication = nullptr,
                             .order = entry.publication->order,
                             .cause = RemovalCause::silent,
                             .owner = store::kNobody,
                             .owner_seq = entry.owner_seq};
    const store::Write* let_go = slot.let_go.find(write.id);
    const RemovalCause cause = let_go == nullptr ? RemovalCause::silent : let_go->cause;
    const PublicationPtr gone = entry.publication;
    slot.store.apply(write, env_.clock.mono());
    Written& written = turn.written[service->data_info_id()];
    written.service = service;
    written.effects.push_back({.id = write.id,
                               .publication = nullptr,
                               .order = write.order,
                               .cause = write.cause,
                               .owner = write.owner,
                               .owner_seq = write.owner_seq,
                               .visible = true});
    remember(turn, written, HistoryRecord::What::removed, gone, cause);
}

void DataServer::Impl::look_after_unclaimed() {
    std::vector<SlotId> over;
    for (const auto& [id, ids] : unclaimed_) {
        const LedSlot* slot = slots_.find(id);
        if (slot == nullptr || all_supplied(id, *slot, options_.heir_patience)) {
            over.push_back(id);
        }
    }
    for (const SlotId id : over) {
        drop_unclaimed(id);
    }
}

// All have said what they own: what is nobody's still, and not held by the brake, goes.
void DataServer::Impl::drop_unclaimed(SlotId id) {
    const auto unclaimed = unclaimed_.extract(id);
    LedSlot* slot = slots_.find(id);
    if (!unclaimed || slot == nullptr) {
        return;
    }
    Turn turn{.why = HistoryRecord::Why::unclaimed_over};
    for (const auto& [regist_id, service] : unclaimed.mapped()) {
        const auto* entry = slot->store.find(*service, regist_id);
        const auto held = held_.find(service->data_info_id());
        const bool braked = held != held_.end() && held->second.until.contains(regist_id);
        if (entry != nullptr && entry->owner == store::kNobody && !braked) {
            drop_nobodys(*slot, service, *entry, turn);
        }
    }
    commit(*slot, turn);
}

// Whether somebody is there to whom clients of a session that went may have come, and all such have
// supplied the slot.
bool DataServer::Impl::heirs_known(SlotId id, const LedSlot& slot) const {
    return sessions_.any_supplied(id, slot.epoch) && all_supplied(id, slot, options_.heir_patience);
}

// Of an earlier life of a session that is there: what is not taken over within the grace may have
// left long ago, and a statement would bring it back (I5).
bool DataServer::Impl::holds_orphans(const LedSlot& slot) const {
    return std::ranges::any_of(slot.store.owners(), [&](const auto& item) {
        if (item.first == store::kNobody) {
            return false;
        }
        const NodeId& node = owners_.session(item.first);
        const SessionLink* link = sessions_.find(node);
        return link != nullptr && store::succeeds(link->owner, item.first) && !sessions_.gone(node);
    });
}

void DataServer::Impl::remove_owner(SlotId id, LedSlot& slot, store::OwnerId owner) {
    Turn turn{.why = HistoryRecord::Why::brake, .by = owners_.session(owner)};
    std::size_t removed = 0;
    hold_orphans(slot, owner, turn);
    turn.why = why_gone(owner);
    slot.store.remove_owner(
        owner, RemovalCause::silent, env_.clock.mono(),
        [&](const store::Write& effect, const PublicationPtr& before, bool visible) {
            removed += effect.publication == nullptr ? 1 : 0;
            const bool shows =
                effect.publication == nullptr || !store::is_drained(slot.store.mark_of(effect.id));
            Written& written = turn.written[effect.service->data_info_id()];
            written.service = effect.service;
            written.effects.push_back({.id = effect.id,
                                       .publication = effect.publication,
                                       .order = effect.order,
                                       .cause = effect.cause,
                                       .owner = effect.owner,
                                       .owner_seq = effect.owner_seq,
                                       .visible = visible && shows});
            remember_write(turn, written, effect, {.publication = before, .owner = owner});
        });
    commit(slot, turn);
    absent_[id].erase(owner);
    probe_.orphans_removed.add(removed);
    env_.log.info(
        "data.orphans.removed",
        {{"session", owners_.session(owner).raw()}, {"slot", id.raw()}, {"publications", removed}});
}

}  // namespace muster::data
