#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/time.h"
#include "model/datum.h"
#include "model/ids.h"
#include "model/publication.h"
#include "model/service.h"
#include "store/marks.h"
#include "store/other_holders.h"
#include "store/tombstones.h"
#include "store/write.h"

namespace muster::store {

enum class WriteOutcome : std::uint8_t {
    changed,     // subscribers see a difference
    refreshed,   // order or owner was taken over, the content is the same
    remembered,  // it is not there; that it went is remembered
    ignored,     // older than what is known, or not the owner's to say; or of one more holder
    superseded,  // its client has said something newer elsewhere: the owner must let go of it
};

// What an owner says it has: everything with an id above `after` or, when there is `more`, above it
// up to the greatest of `ids`.
struct Listed {
    RegistId after = {};
    bool more = false;
    std::set<RegistId> ids = {};

    // It would name `id`, and does not.
    [[nodiscard]] bool misses(const RegistId& id) const;
};

// All publications of one slot, by service, with one version each; the leader's side.
//
// Invariants:
//  1. Of one registration id only the newest state by RegistOrder is held (I8). Of two states of
//     one version, one from a later life of the same session is the newer, whatever their
//     timestamps: the clock of its client was set back between.
//  2. A removal by a lost connection (closed, silent) takes effect only for the session that says
//     it, and not for what it wrote later; and for earlier versions, whoever holds them. What
//     several sessions hold of one version (its client speaks to any of them) goes with the last.
//  3. A removed registration leaves a tombstone for a while: what is not newer than it does not
//     come back (I5).
//  4. digest_of_owner() equals the digest over (id, order) of exactly what that owner holds.
//  5. Datum::shown, where there is one, equals the digest over what settled_snapshot() lists.
//  6. A mark stays with the registration id through all states of it, and ends when its client
//     withdraws it. Of one that closed or fell silent it is kept as long as its tombstone.
// Owned by the data server's slot. Loop thread only. Bounded by its publications, and as Tombstones
// and OtherHolders are.
class DatumStore {
public:
    struct Entry {
        mutable PublicationPtr publication;
        mutable OwnerId owner;
        mutable std::uint64_t owner_seq = 0;
    };
    struct ById {
        using is_transparent = void;
        bool operator()(const Entry& a, const Entry& b) const {
            return a.publication->id < b.publication->id;
        }
        bool operator()(const Entry& a, const RegistId& b) const {
            return a.publication->id < b;
        }
        bool operator()(const RegistId& a, const Entry& b) const {
            return a < b.publication->id;
        }
    };
    struct Datum {
        ServicePtr service;
        Version version;
        std::set<Entry, ById> entries;
        // Over shown_digest_of() what lists show; none: nobody has asked yet.
        std::optional<SetDigest> shown = {};
        std::uint32_t interested = 0;  // streams that declared interest
    };
    struct OwnerDigest {
        SetDigest digest;
        std::uint32_t count = 0;
    };

    // Takes `write` if it is newer than what is known. The datum's version is left to the caller.
    // `before` becomes what was there, when anything was.
    WriteOutcome apply(const Write& write, MonoTime now, Entry* before = nullptr);

    // The datum of `service`, made when missing.
    Datum& find_or_make(const ServicePtr& service);
    [[nodiscard]] Datum* find(const Service& service);
    [[nodiscard]] const Entry* find(const Service& service, const RegistId& id);
    // The digest over what lists show of it: made when first asked for, kept from then on.
    [[nodiscard]] SetDigest shown_digest(Datum& datum) const;

    // Makes the copy hold what another one held after `effect`, whatever is known here; true when
    // subscribers see a difference.
    bool install(const Write& effect, MonoTime now);
    // The memory of something that went, alone; another one of that registration is replaced.
    void install_tombstone(const Tombstone& tombstone) {
        tombstones_.set(tombstone);
    }
    // Also remembers what another copy of the same slot remembers of registrations that are not
    // here. Returns the withdrawals among it that are news here, also of what is here in an older
    // state.
    std::vector<Write> remember_too(const Tombstones& other);

    // What operators said about a publication that is here; null: nothing.
    [[nodiscard]] const MarkPtr& mark_of(const RegistId& id) const {
        return marks_.of(id);
    }
    // Nothing of what is not here: another node's word of it may not fit.
    void set_mark(const Service& service, const RegistId& id, MarkPtr mark);
    // Publications that no list shows.
    [[nodiscard]] std::size_t drained_count() const {
        return marks_.drained();
    }

    // Forgets a datum nobody publishes.
    void forget(const Service& service);

    // Removes everything of `owner`. `effect` is told what is held of each from then on, what was
    // there before, and whether subscribers see a difference.
    using Removed = std::function<void(const Write&, const PublicationPtr& before, bool visible)>;
    void remove_owner(OwnerId owner, RemovalCause cause, MonoTime now, const Removed& effect);

    // Whether others than its owner hold the publication too.
    [[nodiscard]] bool has_others(const RegistId& id) const {
        return others_.any(id);
    }
    // Forgets those of them that `which` is true of.
    void forget_others(
        const RegistId& id,
        const OtherHolders::Which& which = [](const Holder& /*any*/) { return true; });
    // The state of it that `owner` holds, alone or among others; null: none. Until the next change.
    [[nodiscard]] const Publication* held_by(OwnerId owner, const Entry& entry) const;

    // What `owner` has with owner_seq <= stamp and `listed` should name and does not.
    [[nodiscard]] std::vector<PublicationPtr> unlisted(OwnerId owner, std::uint64_t stamp,
                                                       const Listed& listed) const;

    [[nodiscard]] OwnerDigest digest_of_owner(OwnerId owner) const;

    // By owner: of exactly what each has.
    [[nodiscard]] const std::map<OwnerId, OwnerDigest>& owners() const {
        return owners_;
    }
    // Over (id, order) of all publications.
    [[nodiscard]] SetDigest digest() const {
        return digest_;
    }

    // As Tombstones::sweep().
    std::size_t sweep(MonoTime now, std::size_t most = Tombstones::kMax) {
        return tombstones_.sweep(now, most);
    }
    // Data nobody publishes or asks for.
    [[nodiscard]] std::vector<ServicePtr> unused() const;
    // Nobody asks any more.
    void forget_interests();
    [[nodiscard]] Version highest_version() const;

    [[nodiscard]] const Tombstones& tombstones() const {
        return tombstones_;
    }

    // Sorted by service: every walk has one order on all machines.
    [[nodiscard]] const std::map<std::string, Datum>& data() const {
        return data_;
    }
    [[nodiscard]] std::map<std::string, Datum>& data() {
        return data_;
    }
    [[nodiscard]] std::size_t publication_count() const {
        return publication_count_;
    }

private:
    using Entries = std::set<Entry, ById>;

    WriteOutcome put(const Write& write, Entry* before);
    WriteOutcome put_new(Datum& datum, const Write& write);
    WriteOutcome put_moved(Datum& datum, const Entry& entry, const Write& write);
    WriteOutcome remove(const Write& write, MonoTime now, Entry* before);
    WriteOutcome take(Datum& datum, const Entry& entry, const Holder& holder);
    WriteOutcome release(Datum& datum, Entries::iterator entry, const Write& removal, MonoTime now);
    [[nodiscard]] MarkPtr mark_after(const Write& removal) const;
    void erase(Datum& datum, Entries::iterator entry);
    void hold_too(const Holder& holder);
    void let_go(const RegistId& id, OwnerId owner);
    void count(Datum& datum, const Entry& entry);
    void uncount(Datum& datum, const Entry& entry);
    [[nodiscard]] SetDigest shown_element(const Entry& entry) const;
    void show(Datum& datum, const Entry& entry) const;
    void hide(Datum& datum, const Entry& entry) const;
    void count_owner(OwnerId owner, const SetDigest& element);
    void uncount_owner(OwnerId owner, const SetDigest& element);

    std::map<std::string, Datum> data_;  // by data_info_id
    OtherHolders others_;
    Tombstones tombstones_;
    Marks marks_;
    std::map<OwnerId, OwnerDigest> owners_;
    SetDigest digest_;
    std::size_t publication_count_ = 0;
};

// A datum as it is told to sessions.
[[nodiscard]] DatumSnapshot settled_snapshot(const DatumStore& store,
                                             const DatumStore::Datum& datum);
// One that only adds, and takes away what is known to have left.
[[nodiscard]] DatumSnapshot unsettled_snapshot(const DatumStore& store,
                                               const DatumStore::Datum& datum);

}  // namespace muster::store
