#include "store/datum_store.h"

#include "base/check.h"

namespace muster::store {
namespace {

bool by_word(RemovalCause cause) {
    return cause == RemovalCause::left || cause == RemovalCause::evicted;
}

// Whether `write` says something older than what `owner` said under `order`.
bool is_older(const Write& write, const RegistOrder& order, OwnerId owner) {
    return write.order < order &&
           !(write.order.version == order.version && succeeds(write.owner, owner));
}

}  // namespace

WriteOutcome DatumStore::apply(const Write& write, MonoTime now) {
    CHECK(write.service != nullptr);
    return write.publication != nullptr ? put(write) : remove(write, now);
}

bool DatumStore::may_return(const Write& write, const Tombstone& tombstone) const {
    if (write.order > tombstone.order) {
        return true;
    }
    // The same state again: only what did not leave by its own word, and not by an older message of
    // the session that removed it.
    return !by_word(tombstone.cause) && !is_older(write, tombstone.order, tombstone.owner) &&
           (write.owner != tombstone.owner || write.owner_seq > tombstone.owner_seq);
}

WriteOutcome DatumStore::put(const Write& write) {
    Datum& datum = find_or_make(write.service);
    const auto found = datum.entries.find(write.id);
    if (found == datum.entries.end()) {
        if (const auto grave = tombstones_.find(write.id);
            grave != tombstones_.end() && !may_return(write, grave->second)) {
            return WriteOutcome::ignored;
        }
        const auto [entry, inserted] =
            datum.entries.insert(Entry{write.publication, write.owner, write.owner_seq});
        CHECK(inserted);
        count_owner(*entry);
        ++publication_count_;
        return WriteOutcome::changed;
    }
    const Entry& entry = *found;
    if (is_older(write, entry.publication->order, entry.owner)) {
        return WriteOutcome::ignored;
    }
    if (write.order == entry.publication->order && write.owner == entry.owner &&
        write.owner_seq <= entry.owner_seq) {
        return WriteOutcome::ignored;
    }
    uncount_owner(entry);
    const bool newer = write.order != entry.publication->order;
    const bool same = entry.publication->same_content(*write.publication);
    if (newer) {
        entry.publication = write.publication;
    }
    entry.owner = write.owner;
    entry.owner_seq = write.owner_seq;
    count_owner(entry);
    return newer && !same ? WriteOutcome::changed : WriteOutcome::refreshed;
}

WriteOutcome DatumStore::remove(const Write& write, MonoTime now) {
    Datum* datum = find(*write.service);
    const Tombstone grave{.order = write.order,
                          .cause = write.cause,
                          .owner = write.owner,
                          .owner_seq = write.owner_seq,
                          .since = now};
    const auto found = datum == nullptr ? decltype(datum->entries.find(write.id)){}
                                        : datum->entries.find(write.id);
    if (datum == nullptr || found == datum->entries.end()) {
        // It may overtake the registration it ends.
        return bury(write.id, grave) ? WriteOutcome::remembered : WriteOutcome::ignored;
    }
    const Entry& entry = *found;
    if (is_older(write, entry.publication->order, entry.owner)) {
        return WriteOutcome::ignored;
    }
    if (!by_word(write.cause) &&
        (entry.owner != write.owner || entry.owner_seq > write.owner_seq)) {
        return WriteOutcome::ignored;
    }
    uncount_owner(entry);
    datum->entries.erase(found);
    --publication_count_;
    bury(write.id, grave);
    return WriteOutcome::changed;
}

bool DatumStore::bury(const RegistId& id, const Tombstone& tombstone) {
    const auto [found, inserted] = tombstones_.try_emplace(id, tombstone);
    if (!inserted) {
        if (tombstone.order < found->second.order ||
            (tombstone.order == found->second.order && by_word(found->second.cause))) {
            return false;
        }
        found->second = tombstone;
    }
    note_age(id, tombstone.since);
    return true;
}

void DatumStore::note_age(const RegistId& id, MonoTime since) {
    tombstone_ages_.emplace_back(since, id);
    while (tombstone_ages_.size() > kTombstonesMax) {
        tombstones_.erase(tombstone_ages_.front().second);
        tombstone_ages_.pop_front();
        ++first_burial_;
    }
}

bool DatumStore::install(const Write& effect, MonoTime now) {
    CHECK(effect.service != nullptr);
    if (effect.publication == nullptr) {
        install_tombstone(effect, now);
        Datum* datum = find(*effect.service);
        if (datum == nullptr) {
            return false;
        }
        const auto found = datum->entries.find(effect.id);
        if (found == datum->entries.end()) {
            return false;
        }
        uncount_owner(*found);
        datum->entries.erase(found);
        --publication_count_;
        return true;
    }
    Datum& datum = find_or_make(effect.service);
    const auto [found, inserted] =
        datum.entries.insert(Entry{effect.publication, effect.owner, effect.owner_seq});
    bool visible = inserted;
    if (inserted) {
        ++publication_count_;
    } else {
        uncount_owner(*found);
        visible = !found->publication->same_content(*effect.publication);
        found->publication = effect.publication;
        found->owner = effect.owner;
        found->owner_seq = effect.owner_seq;
    }
    count_owner(*found);
    return visible;
}

void DatumStore::install_tombstone(const Write& effect, MonoTime since) {
    tombstones_[effect.id] = {.order = effect.order,
                              .cause = effect.cause,
                              .owner = effect.owner,
                              .owner_seq = effect.owner_seq,
                              .since = since};
    note_age(effect.id, since);
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

void DatumStore::remove_owner(OwnerId owner, RemovalCause cause, MonoTime now,
                              const std::function<void(const Write&)>& removed) {
    if (!owners_.contains(owner)) {
        return;
    }
    for (auto& [name, datum] : data_) {
        for (auto entry = datum.entries.begin(); entry != datum.entries.end();) {
            if (entry->owner != owner) {
                ++entry;
                continue;
            }
            const PublicationPtr publication = entry->publication;
            bury(publication->id, Tombstone{.order = publication->order,
                                            .cause = cause,
                                            .owner = owner,
                                            .owner_seq = entry->owner_seq,
                                            .since = now});
            const Write effect{.id = publication->id,
                               .service = datum.service,
                               .publication = nullptr,
                               .order = publication->order,
                               .cause = cause,
                               .owner = owner,
                               .owner_seq = entry->owner_seq};
            uncount_owner(*entry);
            entry = datum.entries.erase(entry);
            --publication_count_;
            removed(effect);
        }
    }
}

std::vector<PublicationPtr> DatumStore::unlisted(OwnerId owner, std::uint64_t stamp,
                                                 const std::set<RegistId>& listed) const {
    std::vector<PublicationPtr> result;
    for (const auto& [name, datum] : data_) {
        for (const Entry& entry : datum.entries) {
            if (entry.owner == owner && entry.owner_seq <= stamp &&
                !listed.contains(entry.publication->id)) {
                result.push_back(entry.publication);
            }
        }
    }
    return result;
}

DatumStore::OwnerDigest DatumStore::digest_of_owner(OwnerId owner) const {
    const auto found = owners_.find(owner);
    return found == owners_.end() ? OwnerDigest{} : found->second;
}

void DatumStore::count_owner(const Entry& entry) {
    OwnerDigest& owner = owners_[entry.owner];
    owner.digest.add(digest_of(entry.publication->id, entry.publication->order));
    ++owner.count;
}

void DatumStore::uncount_owner(const Entry& entry) {
    const auto found = owners_.find(entry.owner);
    CHECK(found != owners_.end());
    found->second.digest.remove(digest_of(entry.publication->id, entry.publication->order));
    if (--found->second.count == 0) {
        owners_.erase(found);
    }
}

void DatumStore::sweep(MonoTime now) {
    while (!tombstone_ages_.empty() && now - tombstone_ages_.front().first >= kTombstoneAge) {
        const auto& [since, id] = tombstone_ages_.front();
        if (const auto grave = tombstones_.find(id);
            grave != tombstones_.end() && grave->second.since == since) {
            tombstones_.erase(grave);
        }
        tombstone_ages_.pop_front();
        ++first_burial_;
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

SetDigest DatumStore::digest() const {
    SetDigest all;
    for (const auto& [owner, digest] : owners_) {
        all.add(digest.digest);
    }
    return all;
}

void DatumStore::visit_tombstones(std::uint64_t after_burial, const TombstoneVisit& visit) const {
    std::uint64_t burial = std::max(after_burial + 1, first_burial_);
    for (; burial < first_burial_ + tombstone_ages_.size(); ++burial) {
        const auto& [since, id] = tombstone_ages_[burial - first_burial_];
        const auto grave = tombstones_.find(id);
        if (grave == tombstones_.end() || grave->second.since != since) {
            continue;  // buried again since
        }
        const Tombstone& stone = grave->second;
        const Write effect{.id = id,
                           .service = nullptr,
                           .publication = nullptr,
                           .order = stone.order,
                           .cause = stone.cause,
                           .owner = stone.owner,
                           .owner_seq = stone.owner_seq};
        if (!visit(burial, effect, since)) {
            return;
        }
    }
}

DatumSnapshot snapshot_of(const DatumStore::Datum& datum, bool settled) {
    DatumSnapshot snapshot{.service = datum.service, .version = datum.version, .settled = settled};
    snapshot.publications.reserve(datum.entries.size());
    for (const auto& entry : datum.entries) {
        snapshot.publications.push_back(entry.publication);
    }
    return snapshot;
}

}  // namespace muster::store
