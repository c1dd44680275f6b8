#include <algorithm>

#include "roles/data/data_impl.h"

// What interested sessions are told.
//
// A session that declares a version this node knows the way from gets the way, or the list. One
// that declares a version this node knows nothing of (a *stray*: the leader before gave it and its
// last entries were lost, or another acted as leader) holds something that is not known here: told
// the list, it would lose what lives (I3). Until every session has supplied what it owns, it is on
// a *fork*: what is here is added to what it holds, but for what it saw leave (I5), and it is told
// what is written from then on, in versions of its own, so that one version never means two lists
// (I2).
namespace muster::data {
namespace {

// A stray waits so long for sessions that are about to supply what they own.
constexpr Duration kStrayWait = std::chrono::seconds(1);

using Stand = Interest::Stand;

bool knows(const LedSlot& slot, const store::DatumStore::Datum& datum, Version seen) {
    return seen == Version{} || slot.log.knows(*datum.service, seen, datum.version);
}

bool knows_all(const LedSlot& slot, const store::DatumStore::Datum& datum,
               const msg::InterestDeclare::Item& said) {
    return knows(slot, datum, said.held) && knows(slot, datum, said.heard) &&
           std::ranges::all_of(said.doubted,
                               [&](Version seen) { return knows(slot, datum, seen); });
}

bool doubtful(const Interest& interest) {
    return interest.stand != Stand::early && (interest.stand != Stand::trunk || !interest.complete);
}

}  // namespace

void DataServer::Impl::answer(LedSlot& slot, SessionLink& link, Interest& interest) {
    const auto& said = interest.said;
    auto& datum = slot.store.find_or_make(interest.service);
    if (!interest.counted) {
        interest.counted = true;
        ++datum.interested;
    }
    const bool statement = makes_statements(slot, *interest.service);
    const bool known = knows_all(slot, datum, said);
    if (known && datum.version == Version{}) {
        step(slot, datum);
    }
    known ? answer_known(slot, link, interest, statement)
          : answer_stray(slot, link, interest, statement);
    if (doubtful(interest)) {
        slot.doubts.insert(interest.service->data_info_id());
    }
}

// Whether what is held here is, or once was, all there is, and no more. What nobody claims may have
// left: its own session let go of it, and clients may have been shown that.
bool DataServer::Impl::makes_statements(const LedSlot& slot, const Service& service) const {
    return slot.settled || (slot.whole && !unclaimed_.contains(*slots_.id_of(service)));
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
            missed.back().digest = digest_told(slot, datum);
            for (auto& change : missed) {
                tell_later(link, std::move(change));
            }
            interest.stand = Stand::trunk;
            interest.complete = said.complete;
            return;
        }
    }
    if (!statement && said.highest() != Version{}) {
        fork_with_all(slot, link, interest);
        return;
    }
    if (said.held < said.heard && said.heard == datum.version) {
        step(slot, datum);  // what was shown as this version may be another list
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
        const auto note = [&](Version seen) {
            if (!knows(slot, datum, seen)) {
                note_given_beside(*id, slot, seen);
            }
        };
        note(said.held);
        note(said.heard);
        std::ranges::for_each(said.doubted, note);
        if (said.held != Version{}) {
            doubt_supply(*id, slot, link, interest);
        }
    }
    if (id && slot.settled && all_known(*id, slot)) {
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
    if (!statement || waited || (said.held != Version{} && !slot.settled)) {
        fork_with_all(slot, link, interest);
        return;
    }
    interest.stand = Stand::waiting;
}

// It was told that by another leader, and may own other things now; or here, on a fork, and missed
// what came after. Where all are waited for no longer, it is asked at once: it shows what has left
// meanwhile until then.
void DataServer::Impl::doubt_supply(SlotId id, const LedSlot& slot, SessionLink& link,
                                    const Interest& interest) {
    if (interest.stand != Stand::waiting) {
        link.supplied.erase(id);
    }
    const auto asked = link.asked.find(id);
    const bool late = asked == link.asked.end() || interest.stand != Stand::waiting ||
                      env_.clock.mono() - asked->second.at >= options_.heartbeat_interval;
    if (slot.settled && late && !link.has_supplied(id, slot.epoch)) {
        details_due_[link.node].insert(id);
    }
}

// What is here is added to what the session holds; nothing is taken away by it. It may hold more
// than it says (what diverged is declared as nothing held): only who was shown nothing at all has
// the list that is here by it, and may be told its version.
void DataServer::Impl::fork_with_all(LedSlot& slot, SessionLink& link, Interest& interest) {
    auto snapshot = unsettled_snapshot(slot.store, slot.store.find_or_make(interest.service));
    snapshot.version = fork_version(slot, *interest.service);
    interest.stand = Stand::fork;
    interest.complete = interest.said.complete;
    interest.version = snapshot.version;
    tell_later(link, std::move(snapshot));
}

// Something left that is not known here: who may hold it is told, with the order of it, as that
// session may know something newer of it.
void DataServer::Impl::tell_departed(LedSlot& slot, const std::string& name) {
    if (!slot.doubts.contains(name)) {
        return;
    }
    for (SessionLink* link : watchers_.of(name)) {
        Interest& interest = link->interests.at(name);
        if (doubtful(interest) && interest.stand != Stand::waiting) {
            fork_with_all(slot, *link, interest);
        }
    }
}

void DataServer::Impl::tell_whole(LedSlot& slot, SessionLink& link, Interest& interest,
                                  bool settled) {
    auto& datum = slot.store.find_or_make(interest.service);
    if (outrun_by_forks(slot, datum)) {
        step(slot, datum);
    }
    tell_later(link, settled ? settled_snapshot(slot.store, datum)
                             : unsettled_snapshot(slot.store, datum));
    interest.stand = Stand::trunk;
    interest.complete = settled || interest.said.complete;
}

// A new version of the same list.
void DataServer::Impl::step(LedSlot& slot, store::DatumStore::Datum& datum) {
    store::LogEntry entry{
        .service = datum.service, .from = datum.version, .to = next_version(slot), .effects = {}};
    datum.version = entry.to;
    if (entry.from != Version{}) {
        DatumChange change = change_of(entry);
        change.digest = digest_told(slot, datum);
        tell(slot, change);
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

// Who was told less than all is told all, of data where that may make a difference; others are told
// nothing. Requires: all is known.
void DataServer::Impl::clear_doubts(LedSlot& slot) {
    for (const std::string& name : std::exchange(slot.doubts, {})) {
        std::vector<std::pair<SessionLink*, Interest*>> to_tell;
        for (auto& [node, link] : sessions_.all()) {
            const auto found = link.interests.find(name);
            if (found != link.interests.end() && doubtful(found->second)) {
                to_tell.emplace_back(&link, &found->second);
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
        slot.forked.erase(name);
    }
}

}  // namespace muster::data
