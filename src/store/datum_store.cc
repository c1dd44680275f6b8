#include "store/datum_store.h"

#include <algorithm>

#include "base/check.h"

namespace muster::store {
namespace {

SetDigest element_of(const Publication& publication) {
    return digest_of(publication.id, publication.order);
}

// Whether `write` says something older than what `owner` said under `order`.
bool is_older(const Write& write, const RegistOrder& order, OwnerId owner) {
    if (write.order.version == order.version &&
        (owner == kNobody || succeeds(write.owner, owner))) {
        return false;
    }
    return write.order < order;
}

// Whether `write` is what its owner holds, not what it just did.
bool is_listed(const Write& write) {
    return write.said_at >= write.owner_seq;
}

// Whether a registration may come back by `write` after `grave`.
bool may_return(const Write& write, const Write& grave) {
    if (write.order > grave.order) {
        return true;
    }
    if (by_word(grave.cause) || write.order.version < grave.order.version) {
        return false;
    }
    // The same state again, or one of the same version by a clock that was set back: not by an
    // older message of the session that removed it.
    if (write.owner == grave.owner) {
        return !is_older(write, grave.order, grave.owner) && write.said_at >= grave.owner_seq;
    }
    return !is_older(write, grave.order, grave.owner) || is_listed(write);
}

}  // namespace

WriteOutcome DatumStore::apply(const Write& write, MonoTime now, Entry* before) {
    CHECK(write.service != nullptr);
    return write.publication != nullptr ? put(write, before) : remove(write, now, before);
}

WriteOutcome DatumStore::put(const Write& write, Entry* before) {
    Datum& datum = find_or_make(write.service);
    const auto found = datum.entries.find(write.id);
    if (found == datum.entries.end()) {
        return put_new(datum, write);
    }
    const Entry& entry = *found;
    if (before != nullptr) {
        *before = entry;
    }
    const bool same_session = write.owner == entry.owner || succeeds(write.owner, entry.owner);
    if (!same_session && entry.owner != kNobody) {
        return put_moved(datum, entry, write);
    }
    if (is_older(write, entry.publication->order, entry.owner)) {
        return entry.owner == kNobody ? WriteOutcome::superseded : WriteOutcome::ignored;
    }
    if (write.order == entry.publication->order && write.owner == entry.owner &&
        write.owner_seq <= entry.owner_seq) {
        return WriteOutcome::ignored;
    }
    return take(datum, entry, {write.publication, write.owner, write.owner_seq});
}

WriteOutcome DatumStore::put_new(Datum& datum, const Write& write) {
    const Write* grave = tombstones_.find(write.id);
    if (grave != nullptr && !may_return(write, *grave)) {
        const bool outdated = by_word(grave->cause) || write.order.version < grave->order.version;
        return outdated ? WriteOutcome::superseded : WriteOutcome::ignored;
    }
    const auto [entry, inserted] =
        datum.entries.insert(Entry{write.publication, write.owner, write.owner_seq});
    CHECK(inserted);
    if (grave != nullptr) {
        marks_.set(write.id, tombstones_.take_mark(write.id));
    }
    count(datum, *entry);
    return WriteOutcome::changed;
}

// Another session than the owner says that it holds the publication.
WriteOutcome DatumStore::put_moved(Datum& datum, const Entry& entry, const Write& write) {
    const RegistOrder known = entry.publication->order;
    if (succeeds(entry.owner, write.owner)) {
        return WriteOutcome::ignored;
    }
    if (write.order.version < known.version) {
        return WriteOutcome::superseded;
    }
    const Holder holder{write.publication, write.owner, write.owner_seq};
    const Holder* before = others_.find(write.id, write.owner);
    if (before != nullptr &&
        (write.owner_seq < before->owner_seq ||
         (write.owner_seq == before->owner_seq && write.order == before->publication->order))) {
        return WriteOutcome::ignored;
    }
    if (write.order < known) {
        hold_too(holder);
        return WriteOutcome::ignored;
    }
    const Holder owner{entry.publication, entry.owner, entry.owner_seq};
    let_go(write.id, write.owner);
    const WriteOutcome outcome = take(datum, entry, holder);
    if (write.order.version == known.version) {
        hold_too(owner);
    }
    return outcome;
}

// The entry becomes what `holder` holds; of an equal order the publication that is there stays.
WriteOutcome DatumStore::take(Datum& datum, const Entry& entry, const Holder& holder) {
    const RegistOrder known = entry.publication->order;
    const bool newer = holder.publication->order != known;
    const bool same = entry.publication->same_content(*holder.publication);
    uncount(datum, entry);
    if (newer) {
        entry.publication = holder.publication;
    }
    entry.owner = holder.owner;
    entry.owner_seq = holder.owner_seq;
    count(datum, entry);
    if (entry.publication->order.version != known.version) {
        forget_others(entry.publication->id);
    }
    return newer && !same ? WriteOutcome::changed : WriteOutcome::refreshed;
}

WriteOutcome DatumStore::remove(const Write& write, MonoTime now, Entry* before) {
    Datum* datum = find(*write.service);
    const auto found = datum == nullptr ? Entries::iterator{} : datum->entries.find(write.id);
    if (datum == nullptr || found == datum->entries.end()) {
        // It may overtake the registration it ends.
        return tombstones_.bury({write, now}) ? WriteOutcome::remembered : WriteOutcome::ignored;
    }
    const Entry& entry = *found;
    if (before != nullptr) {
        *before = entry;
    }
    // What an earlier life of its session held, the later one was told of anew.
    const bool owns = entry.owner == write.owner || succeeds(write.owner, entry.owner);
    // Its client had gone on to a later version, and that went: who still holds this was left.
    const bool outdated = entry.publication->order.version < write.order.version;
    if (!by_word(write.cause) && !owns && !outdated) {
        if (const Holder* holder = others_.find(write.id, write.owner);
            holder != nullptr && holder->owner_seq <= write.owner_seq) {
            let_go(write.id, write.owner);
        }
        return WriteOutcome::ignored;
    }
    if (is_older(write, entry.publication->order, entry.owner)) {
        if (write.order.version == entry.publication->order.version) {
            let_go(write.id, write.owner);
        }
        return WriteOutcome::ignored;
    }
    if (by_word(write.cause) || outdated) {
        forget_others(write.id);
    } else if (entry.owner == write.owner && entry.owner_seq > write.owner_seq) {
        return WriteOutcome::ignored;
    }
    return release(*datum, found, write, now);
}

// Its owner no longer holds the entry: it is the next holder's, or goes.
WriteOutcome DatumStore::release(Datum& datum, Entries::iterator entry, const Write& removal,
                                 MonoTime now) {
    if (const auto next = others_.take_newest(removal.id)) {
        uncount_owner(next->owner, element_of(*next->publication));
        return take(datum, *entry, *next);
    }
    tombstones_.bury({removal, now, connection_of(*entry->publication), mark_after(removal)});
    erase(datum, entry);
    return WriteOutcome::changed;
}

// What is said of a registration whose client did not say that it leaves: it may come back.
MarkPtr DatumStore::mark_after(const Write& removal) const {
    return by_word(removal.cause) ? nullptr : marks_.of(removal.id);
}

void DatumStore::erase(Datum& datum, Entries::iterator entry) {
    uncount(datum, *entry);
    marks_.forget(entry->publication->id);
    datum.entries.erase(entry);
}

bool DatumStore::install(const Write& effect, MonoTime now) {
    CHECK(effect.service != nullptr);
    forget_others(effect.id);
    if (effect.publication == nullptr) {
        Tombstone stone{effect, now};
        Datum* datum = find(*effect.service);
        const auto found = datum == nullptr ? Entries::iterator{} : datum->entries.find(effect.id);
        const bool here = datum != nullptr && found != datum->entries.end();
        if (here) {
            stone.connection = connection_of(*found->publication);
            stone.mark = mark_after(effect);
            erase(*datum, found);
        }
        tombstones_.set(stone);
        return here;
    }
    Datum& datum = find_or_make(effect.service);
    const auto [found, inserted] =
        datum.entries.insert(Entry{effect.publication, effect.owner, effect.owner_seq});
    bool visible = inserted;
    tombstones_.take_mark(effect.id);  // what it is now is told with it
    if (!inserted) {
        uncount(datum, *found);
        visible = !found->publication->same_content(*effect.publication);
        found->publication = effect.publication;
        found->owner = effect.owner;
        found->owner_seq = effect.owner_seq;
    }
    count(datum, *found);
    return visible;
}

std::vector<Write> DatumStore::remember_too(const Tombstones& other) {
    std::vector<Write> news;
    other.visit(0, [&](std::uint64_t, const Tombstone& stone) {
        const Write& removal = stone.removal;
        const Entry* here = find(*removal.service, removal.id);
        const Write* known = tombstones_.find(removal.id);
        const bool older = here != nullptr ? here->publication->order < removal.order
                                           : known == nullptr || known->order < removal.order;
        if (here == nullptr) {
            tombstones_.bury(stone);
        }
        if (older && by_word(removal.cause)) {
            news.push_back(removal);
        }
        return true;
    });
    return news;
}

void DatumStore::forget(const Service& service) {
    const auto found = data_.find(service.data_info_id());
    if (found != data_.end() && found->second.entries.empty()) {
        data_.erase(found);
    }
}

DatumStore::Datum& DatumStore::find_or_make(const ServicePtr& service) {
    const auto [found, inserted] = data_.try_emplace(service->data_info_id());
    if (inserted) {
        found->second.service = service;
    }
    return found->second;
}

DatumStore::Datum* DatumStore::find(const Service& service) {
    const auto found = data_.find(service.data_info_id());
    return found == data_.end() ? nullptr : &found->second;
}

const DatumStore::Entry* DatumStore::find(const Service& service, const RegistId& id) {
    const Datum* datum = find(service);
    const auto found = datum == nullptr ? Entries::iterator{} : datum->entries.find(id);
    return datum == nullptr || found == datum->entries.end() ? nullptr : &*found;
}

void DatumStore::remove_owner(OwnerId owner, RemovalCause cause, MonoTime now,
                              const Removed& effect) {
    if (!owners_.contains(owner)) {
        return;
    }
    std::vector<RegistId> held_too;
    others_.for_each_of(owner,
                        [&](const Holder& holder) { held_too.push_back(holder.publication->id); });
    for (const RegistId& id : held_too) {
        let_go(id, owner);
    }
    for (auto& [name, datum] : data_) {
        for (auto next = datum.entries.begin(); next != datum.entries.end();) {
            const auto entry = next++;
            if (entry->owner != owner) {
                continue;
            }
            Write told{.id = entry->publication->id,
                       .service = datum.service,
                       .publication = nullptr,
                       .order = entry->publication->order,
                       .cause = cause,
                       .owner = owner,
                       .owner_seq = entry->owner_seq};
            const bool passes_on = others_.any(told.id);
            const PublicationPtr before = entry->publication;
            const WriteOutcome outcome = release(datum, entry, told, now);
            if (passes_on) {
                told.publication = entry->publication;
                told.order = entry->publication->order;
                told.owner = entry->owner;
                told.owner_seq = entry->owner_seq;
            }
            effect(told, before, outcome == WriteOutcome::changed);
        }
    }
}

bool Listed::misses(const RegistId& id) const {
    const bool within = id > after && (!more || (!ids.empty() && id <= *ids.rbegin()));
    return within && !ids.contains(id);
}

std::vector<PublicationPtr> DatumStore::unlisted(OwnerId owner, std::uint64_t stamp,
                                                 const Listed& listed) const {
    std::vector<PublicationPtr> result;
    const auto check = [&](const PublicationPtr& publication, std::uint64_t owner_seq) {
        if (owner_seq <= stamp && listed.misses(publication->id)) {
            result.push_back(publication);
        }
    };
    for (const auto& [name, datum] : data_) {
        for (const Entry& entry : datum.entries) {
            if (entry.owner == owner) {
                check(entry.publication, entry.owner_seq);
            }
        }
    }
    others_.for_each_of(owner,
                        [&](const Holder& holder) { check(holder.publication, holder.owner_seq); });
    return result;
}

void DatumStore::hold_too(const Holder& holder) {
    if (const auto gone = others_.add(holder)) {
        uncount_owner(gone->owner, element_of(*gone->publication));
    }
    count_owner(holder.owner, element_of(*holder.publication));
}

void DatumStore::let_go(const RegistId& id, OwnerId owner) {
    if (const auto gone = others_.remove(id, owner)) {
        uncount_owner(gone->owner, element_of(*gone->publication));
    }
}

void DatumStore::forget_others(const RegistId& id, const OtherHolders::Which& which) {
    for (const Holder& gone : others_.remove_if(id, which)) {
        uncount_owner(gone.owner, element_of(*gone.publication));
    }
}

DatumStore::OwnerDigest DatumStore::digest_of_owner(OwnerId owner) const {
    const auto found = owners_.find(owner);
    return found == owners_.end() ? OwnerDigest{} : found->second;
}

const Publication* DatumStore::held_by(OwnerId owner, const Entry& entry) const {
    if (entry.owner == owner) {
        return entry.publication.get();
    }
    const Holder* other = others_.find(entry.publication->id, owner);
    return other == nullptr ? nullptr : other->publication.get();
}

void DatumStore::count(Datum& datum, const Entry& entry) {
    const SetDigest element = element_of(*entry.publication);
    digest_.add(element);
    show(datum, entry);
    ++publication_count_;
    count_owner(entry.owner, element);
}

void DatumStore::uncount(Datum& datum, const Entry& entry) {
    const SetDigest element = element_of(*entry.publication);
    digest_.remove(element);
    hide(datum, entry);
    --publication_count_;
    uncount_owner(entry.owner, element);
}

SetDigest DatumStore::shown_element(const Entry& entry) const {
    const auto told = shown(entry.publication, mark_of(entry.publication->id));
    return told == nullptr ? SetDigest{} : shown_digest_of(*told);
}

void DatumStore::set_mark(const Service& service, const RegistId& id, MarkPtr mark) {
    if (mark == nullptr && marks_.of(id) == nullptr) {
        return;
    }
    Datum* datum = find(service);
    const auto entry = datum == nullptr ? Entries::iterator{} : datum->entries.find(id);
    if (datum == nullptr || entry == datum->entries.end()) {
        return;
    }
    hide(*datum, *entry);
    marks_.set(id, std::move(mark));
    show(*datum, *entry);
}

void DatumStore::show(Datum& datum, const Entry& entry) const {
    if (datum.shown) {
        datum.shown->add(shown_element(entry));
    }
}

void DatumStore::hide(Datum& datum, const Entry& entry) const {
    if (datum.shown) {
        datum.shown->remove(shown_element(entry));
    }
}

SetDigest DatumStore::shown_digest(Datum& datum) const {
    if (!datum.shown) {
        datum.shown.emplace();
        for (const Entry& entry : datum.entries) {
            show(datum, entry);
        }
    }
    return *datum.shown;
}

void DatumStore::count_owner(OwnerId owner, const SetDigest& element) {
    OwnerDigest& held = owners_[owner];
    held.digest.add(element);
    ++held.count;
}

void DatumStore::uncount_owner(OwnerId owner, const SetDigest& element) {
    const auto found = owners_.find(owner);
    CHECK(found != owners_.end());
    found->second.digest.remove(element);
    if (--found->second.count == 0) {
        owners_.erase(found);
    }
}

std::vector<ServicePtr> DatumStore::unused() const {
    std::vector<ServicePtr> unused;
    for (const auto& [name, datum] : data_) {
        if (datum.entries.empty() && datum.interested == 0) {
            unused.push_back(datum.service);
        }
    }
    return unused;
}

void DatumStore::forget_interests() {
    for (auto& [name, datum] : data_) {
        datum.interested = 0;
    }
}

Version DatumStore::highest_version() const {
    Version highest;
    for (const auto& [name, datum] : data_) {
        highest = std::max(highest, datum.version);
    }
    return highest;
}

DatumSnapshot settled_snapshot(const DatumStore& store, const DatumStore::Datum& datum) {
    DatumSnapshot snapshot{
        .service = datum.service, .version = datum.version, .settled = true, .publications = {}};
    snapshot.publications.reserve(datum.entries.size());
    for (const auto& entry : datum.entries) {
        if (auto told = shown(entry.publication, store.mark_of(entry.publication->id))) {
            snapshot.publications.push_back(std::move(told));
        }
    }
    return snapshot;
}

DatumSnapshot unsettled_snapshot(const DatumStore& store, const DatumStore::Datum& datum) {
    DatumSnapshot snapshot = settled_snapshot(store, datum);
    snapshot.settled = false;
    snapshot.departed = store.tombstones().departed(*datum.service);
    if (store.drained_count() > 0) {
        for (const auto& entry : datum.entries) {
            if (is_drained(store.mark_of(entry.publication->id))) {
                snapshot.departed.push_back(hidden(*entry.publication));
            }
        }
        std::ranges::sort(snapshot.departed, {}, &Departure::id);
    }
    return snapshot;
}

}  // namespace muster::store
