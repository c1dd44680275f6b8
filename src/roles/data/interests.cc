#include <algorithm>

#include "roles/data/data_impl.h"

// What interested sessions are told.
//
// A session that declares a version this node knows the way from gets the way, or the list. One
// that declares a version this node knows nothing of (a *stray*: the leader before gave it and its
// last entries were lost, or another acted as leader) holds something that is not known here: told
// the list, it would lose what lives (I3) or get back what left (I5). Until every session has
// supplied what it owns, it is on a *fork*: it is told what is written since, in versions of its
// own, so that one version never means two lists (I2).
namespace muster::data {
namespace {

// A stray that cannot be told what was written since it went astray waits so long for the sessions.
constexpr Duration kStrayWait = std::chrono::seconds(1);

using Stand = Interest::Stand;

bool knows(const LedSlot& slot, const store::DatumStore::Datum& datum, Version seen) {
    return seen == Version{} || slot.log.knows(*datum.service, seen, datum.version);
}

bool doubtful(const Interest& interest) {
    return interest.stand != Stand::trunk || !interest.complete;
}

}  // namespace

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::InterestDeclare& declare) {
    SessionLink* link = hear(from.node, declare.session);
    if (link == nullptr || declare.stream < link->stream) {
        return;
    }
    for (const auto& item : declare.items) {  // I2: above everything heard
        versions_.merge(std::max(item.held, item.heard));
    }
    keep_reserve();
    if (put_off(from, declare) || versions_.exhausted()) {
        return;
    }
    if (declare.stream > link->stream) {
        forget_interests(*link);
        link->stream = declare.stream;
    }
    if (link->parts.insert(declare.part).second) {
        std::map<SlotId, msg::NotLeading::Item> refused;
        for (const auto& item : declare.items) {
            const std::string name = item.service->data_info_id();
            if (link->interests.size() >= options_.interests_per_session_max &&
                !link->interests.contains(name)) {
                probe_.interests_refused.add();
                break;
            }
            const auto [found, inserted] = link->interests.try_emplace(name);
            Interest& interest = found->second;
            if (inserted) {
                watchers_.add(name, *link);
            }
            interest.service = item.service;
            interest.part = std::max(interest.part, declare.part);
            interest.said = item;
            interest.since = env_.clock.mono();
            const auto id = slots_.id_of(*item.service);
            LedSlot* slot = id ? serve(*id, declare.acting) : nullptr;
            if (slot != nullptr) {
                answer(*slot, *link, interest);
                continue;
            }
            // The table that gives us the slot may still be on its way: it is answered then.
            interest.stand = Stand::waiting;
            if (id) {
                refused[*id] = {
                    .slot = *id, .slot_epoch = slots_.epoch_of(*id), .acting = declare.acting};
            }
        }
        std::vector<msg::NotLeading::Item> items;
        for (const auto& [id, item] : refused) {
            items.push_back(item);
        }
        refuse(*link, std::move(items));
    }
    env_.outbox.send(
        from, msg::InterestAck{
                  .session = declare.session, .stream = declare.stream, .part = declare.part});
}

void DataServer::Impl::answer(LedSlot& slot, SessionLink& link, Interest& interest) {
    const auto& said = interest.said;
    auto& datum = slot.store.find_or_make(interest.service);
    if (!interest.counted) {
        interest.counted = true;
        ++datum.interested;
    }
    // What is held here is, or once was, all there is.
    const bool statement = slot.settled || slot.whole;
    const bool known = knows(slot, datum, said.held) && knows(slot, datum, said.heard);
    if (known && datum.version == Version{}) {
        step(slot, datum);
    }
    known ? answer_known(slot, link, interest, statement)
          : answer_stray(slot, link, interest, statement);
    if (doubtful(interest)) {
        slot.doubts.insert(interest.service->data_info_id());
    }
}

void DataServer::Impl::answer_known(LedSlot& slot, SessionLink& link, Interest& interest,
                                    bool statement) {
    const auto& said = interest.said;
    auto& datum = slot.store.find_or_make(interest.service);
    if (said.held == datum.version && (said.complete || !statement)) {
        interest.stand = Stand::trunk;  // in step: nothing to tell
        interest.complete = said.complete;
        return;
    }
    if (said.held == datum.version) {
        step(slot, datum);  // the same list, now as a statement
        tell_whole(slot, link, interest, true);
        return;
    }
    // Who holds nothing needs the statement that what it is told is all, which only the list is.
    if (said.held != Version{} && (said.complete || !statement)) {
        auto missed = slot.log.since(*interest.service, said.held);
        if (!missed.empty() && missed.back().to == datum.version) {
            for (auto& change : missed) {
                tell_later(link, std::move(change));
            }
            interest.stand = Stand::trunk;
            interest.complete = said.complete;
            return;
        }
    }
    if (said.held != Version{} && !statement) {
        fork_with_all(slot, link, interest);
        return;
    }
    tell_whole(slot, link, interest, statement);
}

void DataServer::Impl::answer_stray(LedSlot& slot, SessionLink& link, Interest& interest,
                                    bool statement) {
    const auto& said = interest.said;
    auto& datum = slot.store.find_or_make(interest.service);
    const bool waited = env_.clock.mono() - interest.since >= kStrayWait;
    const auto id = slots_.id_of(*interest.service);
    if (id) {
        for (const Version seen : {said.held, said.heard}) {
            if (!knows(slot, datum, seen)) {
                note_given_beside(*id, slot, seen);
            }
        }
        if (said.held != Version{}) {
            link.supplied.erase(*id);  // another leader told it that: it may own other things now
        }
    }
    if (id && all_known(*id, slot)) {
        step(slot, datum);
        tell_whole(slot, link, interest, true);
        return;
    }
    if (said.held != Version{} && knows(slot, datum, said.held)) {
        // Only a client of the session knows more: nothing is shown to it before that is known
        // here.
        waited ? answer_known(slot, link, interest, statement)
               : static_cast<void>(interest.stand = Stand::waiting);
        return;
    }
    if (said.held == Version{} && (!statement || waited)) {
        step(slot, datum);
        tell_whole(slot, link, interest, false);
        return;
    }
    if (said.held != Version{} && (!statement || waited)) {
        fork_with_all(slot, link, interest);
        return;
    }
    if (said.held != Version{} && !slot.settled) {
        if (auto since = slot.log.since_begin(*interest.service)) {
            interest.stand = Stand::fork;
            interest.complete = said.complete;
            interest.version = said.held;
            if (!since->upserts.empty() || !since->removals.empty()) {
                since->service = interest.service;
                since->from = said.held;
                since->to = fork_version(slot, *interest.service);
                interest.version = since->to;
                tell_later(link, std::move(*since));
            }
            return;
        }
    }
    interest.stand = Stand::waiting;
}

// What is here is added to what the session holds; nothing is taken away by it.
void DataServer::Impl::fork_with_all(LedSlot& slot, SessionLink& link, Interest& interest) {
    auto snapshot = unsettled_snapshot(slot.store, slot.store.find_or_make(interest.service));
    snapshot.version = fork_version(slot, *interest.service);
    interest.stand = Stand::fork;
    interest.complete = interest.said.complete;
    interest.version = snapshot.version;
    tell_later(link, std::move(snapshot));
}

void DataServer::Impl::tell_whole(LedSlot& slot, SessionLink& link, Interest& interest,
                                  bool settled) {
    auto& datum = slot.store.find_or_make(interest.service);
    if (outrun_by_forks(slot, datum)) {
        step(slot, datum);
    }
    tell_later(link, settled ? settled_snapshot(datum) : unsettled_snapshot(slot.store, datum));
    interest.stand = Stand::trunk;
    interest.complete = settled || interest.said.complete;
}

// A new version of the same list.
void DataServer::Impl::step(LedSlot& slot, store::DatumStore::Datum& datum) {
    store::LogEntry entry{
        .service = datum.service, .from = datum.version, .to = next_version(slot), .effects = {}};
    datum.version = entry.to;
    if (entry.from != Version{}) {
        tell(slot, change_of(entry));
    }
    append(slot, std::move(entry));
}

// Clients of a session that was on a fork are told by another one, or by its next life: who holds
// nothing is told a version above what they saw (I2).
bool DataServer::Impl::outrun_by_forks(const LedSlot& slot,
                                       const store::DatumStore::Datum& datum) const {
    const auto forked = slot.forked.find(datum.service->data_info_id());
    return forked != slot.forked.end() && forked->second > datum.version;
}

Version DataServer::Impl::fork_version(LedSlot& slot, const Service& service) {
    return slot.forked[service.data_info_id()] = next_version(slot);
}

// An acting leader gives versions beside the leader's own.
Version DataServer::Impl::next_version(const LedSlot& slot) {
    const WallTime now = env_.clock.wall();
    if (!slot.acting) {
        return versions_.next(now);
    }
    return versions_.next_apart(now, hash64(options_.node.raw()) % store::kApart);
}

// Those who wait for something better than what could be told at once.
void DataServer::Impl::answer_waiting(LedSlot& slot) {
    const auto doubts = slot.doubts;
    for (const std::string& name : doubts) {
        for (SessionLink* link : watchers_.of(name)) {
            Interest& interest = link->interests.at(name);
            if (interest.stand == Stand::waiting) {
                answer(slot, *link, interest);
            }
        }
    }
}

// Those who declared interest before the table that gives us the slots was here.
void DataServer::Impl::answer_early(const std::vector<SlotId>& begun) {
    if (begun.empty()) {
        return;
    }
    for (auto& [node, link] : sessions_.all()) {
        for (auto& [name, interest] : link.interests) {
            const auto id = slots_.id_of(*interest.service);
            if (interest.stand == Stand::waiting && id && std::ranges::binary_search(begun, *id)) {
                answer(*slots_.find(*id), link, interest);
            }
        }
    }
}

// Who was told less than all is told all, of data where that may make a difference; others are told
// nothing. Who holds what is not known here only when all is known.
void DataServer::Impl::clear_doubts(LedSlot& slot, bool all_known) {
    for (const std::string& name : std::exchange(slot.doubts, {})) {
        std::vector<std::pair<SessionLink*, Interest*>> to_tell;
        bool left = false;
        for (auto& [node, link] : sessions_.all()) {
            const auto found = link.interests.find(name);
            if (found == link.interests.end() || !doubtful(found->second)) {
                continue;
            }
            if (all_known || found->second.stand == Stand::trunk) {
                to_tell.emplace_back(&link, &found->second);
            } else {
                left = true;
            }
        }
        const auto datum = slot.store.data().find(name);
        if (datum != slot.store.data().end() &&
            (!to_tell.empty() || outrun_by_forks(slot, datum->second))) {
            for (auto& [link, interest] : to_tell) {
                interest->stand = Stand::waiting;  // not told the step, but the list
            }
            step(slot, datum->second);
            for (auto& [link, interest] : to_tell) {
                tell_whole(slot, *link, *interest, true);
            }
        }
        if (left) {
            slot.doubts.insert(name);
        } else {
            slot.forked.erase(name);
        }
    }
}

void DataServer::Impl::flush() {
    keep_reserve();
    tell_followers_and_sessions();
    view_.flush(env_.clock.mono());
}

void DataServer::Impl::forget_interests(SessionLink& link) {
    for (const auto& [name, interest] : link.interests) {
        uncount(interest);
        watchers_.remove(name, link);
    }
    link.interests.clear();
    link.pending.clear();
    link.parts.clear();
    link.last_seq = 0;
}

void DataServer::Impl::uncount(const Interest& interest) {
    if (!interest.counted) {
        return;
    }
    if (LedSlot* slot = slots_.find(*interest.service); slot != nullptr) {
        if (auto* datum = slot->store.find(*interest.service);
            datum != nullptr && datum->interested > 0) {
            --datum->interested;
        }
    }
}

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::InterestDrop& drop) {
    SessionLink* link = hear(from.node, drop.session);
    if (link == nullptr || drop.stream != link->stream) {
        return;
    }
    for (const auto& service : drop.services) {
        const auto interest = link->interests.find(service->data_info_id());
        if (interest != link->interests.end() && interest->second.part <= drop.part) {
            uncount(interest->second);
            watchers_.remove(interest->first, *link);
            link->interests.erase(interest);
        }
    }
}

// We lead these no longer: sessions that were told of them are told so, and told no more.
void DataServer::Impl::end_interests(const std::vector<SlotId>& ended, bool acting) {
    if (ended.empty()) {
        return;
    }
    for (auto& [node, link] : sessions_.all()) {
        for (auto item = link.interests.begin(); item != link.interests.end();) {
            const auto id = slots_.id_of(*item->second.service);
            const bool over = id && std::ranges::binary_search(ended, *id);
            if (over && item->second.stand != Stand::waiting) {
                watchers_.remove(item->first, link);
                item = link.interests.erase(item);
                continue;
            }
            item->second.counted = item->second.counted && !over;
            ++item;
        }
        std::vector<msg::NotLeading::Item> items;
        for (const SlotId id : ended) {
            link.supplied.erase(id);
            items.push_back({.slot = id, .slot_epoch = slots_.epoch_of(id), .acting = acting});
        }
        refuse(link, std::move(items));
    }
}

}  // namespace muster::data
