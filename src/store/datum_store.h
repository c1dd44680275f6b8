#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "base/time.h"
#include "model/datum.h"
#include "model/ids.h"
#include "model/publication.h"
#include "model/service.h"

namespace muster::store {

// One life of one session, numbered by the data server that hears of it: the session in the high
// bits, its incarnation (milliseconds, or a count) in the low ones.
using OwnerId = Id<struct OwnerIdTag, std::uint64_t>;

inline constexpr unsigned kLifeBits = 44;

[[nodiscard]] constexpr OwnerId owner_of(std::uint64_t session, Incarnation life) {
    return OwnerId((session << kLifeBits) | (life.raw() & ((std::uint64_t{1} << kLifeBits) - 1)));
}

// Whether `later` is a later life of the session whose earlier life `earlier` is.
[[nodiscard]] constexpr bool succeeds(OwnerId later, OwnerId earlier) {
    return later.raw() >> kLifeBits == earlier.raw() >> kLifeBits && later > earlier;
}

// A session's word about one registration.
struct Write {
    RegistId id;
    ServicePtr service;
    PublicationPtr publication;  // null: it went
    RegistOrder order;
    RemovalCause cause = RemovalCause::left;
    OwnerId owner;
    std::uint64_t owner_seq = 0;
};

enum class WriteOutcome : std::uint8_t {
    changed,     // subscribers see a difference
    refreshed,   // order or owner was taken over, the content is the same
    remembered,  // it is not there; that it went is remembered
    ignored,     // older than what is known, or not the owner's to say
};

// All publications of one slot, by service, with one version each; the leader's side.
//
// Invariants:
//  1. Of one registration id only the newest state by RegistOrder is held (I8). Of two states of
//     one version, one from a later life of the same session is the newer, whatever their
//     timestamps: the clock of its client was set back between.
//  2. A removal by a lost connection (closed, silent) takes effect only for the session that still
//     owns the publication, and not for what that session wrote later.
//  3. A removed registration leaves a tombstone for a while: what is not newer than it does not
//     come back (I5).
//  4. digest_of_owner() equals the digest over (id, order) of exactly the publications of that
//     owner.
// Owned by the data server's slot. Loop thread only. Bounds: tombstones are kept for
// kTombstoneAge, at most kTombstonesMax of them (the oldest go first).
class DatumStore {
public:
    static constexpr Duration kTombstoneAge = std::chrono::seconds(60);
    static constexpr std::size_t kTombstonesMax = 100'000;

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
        std::uint32_t interested = 0;  // streams that declared interest
    };
    struct OwnerDigest {
        SetDigest digest;
        std::uint32_t count = 0;
    };

    // Takes `write` if it is newer than what is known. The datum's version is left to the caller.
    WriteOutcome apply(const Write& write, MonoTime now);

    // The datum of `service`, made when missing.
    Datum& find_or_make(const ServicePtr& service);
    [[nodiscard]] Datum* find(const Service& service);

    // Makes the copy hold what another one held after `effect`, whatever is known here; true when
    // subscribers see a difference.
    bool install(const Write& effect, MonoTime now);
    // The memory of something that went, alone; another one of that registration is replaced.
    void install_tombstone(const Write& effect, MonoTime since);

    // Forgets a datum nobody publishes.
    void forget(const Service& service);

    // Removes everything of `owner`; `removed` is told the effect of each.
    void remove_owner(OwnerId owner, RemovalCause cause, MonoTime now,
                      const std::function<void(const Write&)>& removed);

    // What `owner` has with owner_seq <= stamp and `listed` does not contain.
    [[nodiscard]] std::vector<PublicationPtr> unlisted(OwnerId owner, std::uint64_t stamp,
                                                       const std::set<RegistId>& listed) const;

    [[nodiscard]] OwnerDigest digest_of_owner(OwnerId owner) const;

    // By owner: of exactly what each has.
    [[nodiscard]] const std::map<OwnerId, OwnerDigest>& owners() const {
        return owners_;
    }
    // Over (id, order) of all publications.
    [[nodiscard]] SetDigest digest() const;

    // Forgets tombstones that are old enough.
    void sweep(MonoTime now);
    // Data nobody publishes or asks for.
    [[nodiscard]] std::vector<ServicePtr> unused() const;
    // Nobody asks any more.
    void forget_interests();
    [[nodiscard]] Version highest_version() const;

    // Tombstones are numbered upwards as they are made. Visits those after `burial` with their
    // numbers until `visit` returns false.
    using TombstoneVisit =
        std::function<bool(std::uint64_t burial, const Write& effect, MonoTime since)>;
    void visit_tombstones(std::uint64_t after_burial, const TombstoneVisit& visit) const;

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
    [[nodiscard]] std::size_t tombstone_count() const {
        return tombstones_.size();
    }

private:
    struct Tombstone {
        RegistOrder order;
        RemovalCause cause = RemovalCause::left;
        OwnerId owner;
        std::uint64_t owner_seq = 0;
        MonoTime since;
    };

    WriteOutcome put(const Write& write);
    WriteOutcome remove(const Write& write, MonoTime now);
    [[nodiscard]] bool may_return(const Write& write, const Tombstone& tombstone) const;
    bool bury(const RegistId& id, const Tombstone& tombstone);
    void note_age(const RegistId& id, MonoTime since);
    void count_owner(const Entry& entry);
    void uncount_owner(const Entry& entry);

    std::map<std::string, Datum> data_;  // by data_info_id
    std::unordered_map<RegistId, Tombstone> tombstones_;
    std::deque<std::pair<MonoTime, RegistId>> tombstone_ages_;
    std::uint64_t first_burial_ = 1;  // number of tombstone_ages_.front()
    std::map<OwnerId, OwnerDigest> owners_;
    std::size_t publication_count_ = 0;
};

// A datum as it is told to sessions.
[[nodiscard]] DatumSnapshot snapshot_of(const DatumStore::Datum& datum, bool settled);

}  // namespace muster::store
