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
        if (by_word(write.cause)) {
            bury(write.id, grave);  // may overtake the registration it ends
        }
        return WriteOutcome::ignored;
    }
    const Entry& entry = *found;
    if (is_older(write, entry.publication->order, entry.owner)) {
        return WriteOutcome::ignored;
    }
    if (!by_word(write.cause) && (entry.owner != write.owner || entry.owner_seq > write.owner_seq)) {
        return WriteOutcome::ignored;
    }
    uncount_owner(entry);
    datum->entries.erase(found);
    --publication_count_;
    bury(write.id, grave);
    return WriteOutcome::changed;
}

void DatumStore::bury(const RegistId& id, const Tombstone& tombstone) {
    const auto [found, inserted] = tombstones_.try_emplace(id, tombstone);
    if (!inserted) {
        if (tombstone.order < found->second.order) {
            return;
        }
        found->second = tombstone;
    }
    tombstone_ages_.emplace_back(tombstone.since, id);
    while (tombstone_ages_.size() > kTombstonesMax) {
        tombstones_.erase(tombstone_ages_.front().second);
        tombstone_ages_.pop_front();
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
                              const std::function<void(Datum&, const PublicationPtr&)>& removed) {
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
            uncount_owner(*entry);
            entry = datum.entries.erase(entry);
            --publication_count_;
            removed(datum, publication);
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
    }
    std::erase_if(data_, [](const auto& item) {
        return item.second.entries.empty() && item.second.interested == 0;
    });
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
