#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/cluster.h"
#include "model/datum.h"
#include "model/ids.h"
#include "store/datum_store.h"

namespace muster::store {

// The effect one write had on the slot: what is held of the registration from then on.
struct Effect {
    RegistId id;                 // empty when there is a publication, which has it
    PublicationPtr publication;  // null: gone, and remembered as gone
    RegistOrder order;
    RemovalCause cause = RemovalCause::left;
    OwnerId owner;
    std::uint64_t owner_seq = 0;
    bool visible = false;  // subscribers see a difference
    // Of what closed or fell silent before their eyes, connection_of() it.
    std::optional<std::uint64_t> connection = {};
    MarkPtr mark = {};  // of the publication

    [[nodiscard]] const RegistId& regist_id() const {
        return publication != nullptr ? publication->id : id;
    }
};

// One step of one datum. `from` equals `to` when subscribers see no difference; zero `from`: the
// version begins anew and no difference leads to it; zero `to`: the datum, empty, is forgotten.
struct LogEntry {
    ServicePtr service;
    Version from;
    Version to;
    std::vector<Effect> effects;
    Trace trace = {};  // the oldest of them
};

// What subscribers see of an entry.
[[nodiscard]] DatumChange change_of(const LogEntry& entry);

// The ordered log of one slot, the newest part of it: what followers are streamed, and what lets a
// session that was away catch up by differences. It goes through the epochs of several leaders: a
// copy is at a position of it (epoch, number), and a position is on this log only when this log was
// once exactly there, which is how a copy that went another way is told from one that is behind.
//
// Inside, entries are counted by an index from 1 that means nothing to others. Entries of one
// service are chained, so that catching up costs as many steps as there are entries of it.
// Loop thread only. Bounds: entries of the bulk `capacity` in all (at least the newest; an effect
// counts 1, or what its publication does), kEpochsMax
// epochs, and as many gaps.
class SlotLog {
public:
    static constexpr std::size_t kEpochsMax = 32;

    using Index = std::uint64_t;

    explicit SlotLog(std::size_t capacity) : capacity_(capacity) {}

    // An empty log whose end is `at`, of a copy whose versions are up to `horizon`. The gaps stay.
    void reset(LogPosition at, Version horizon);
    // The same of a copy of another node's, whose log has these gaps.
    void reset(LogPosition at, Version horizon, std::vector<VersionGap> gaps);

    // What is appended from now on is of `epoch`. An epoch of zero is nobody's: no position in it
    // is ever found, and neither is one after it in the epoch before. What was appended in it is of
    // the next epoch that begins.
    void begin(Epoch epoch);
    void append(LogEntry entry);

    [[nodiscard]] LogPosition position() const {
        return position_of(newest());
    }
    [[nodiscard]] Index newest() const {
        return first_ + entries_.size() - 1;
    }
    // Where `held` is on this log; nothing when it is not on it.
    [[nodiscard]] std::optional<Index> find(LogPosition held) const;
    // An index has two names where an epoch ends: as the end of that, and as the beginning of the
    // next one. This is the later one.
    [[nodiscard]] LogPosition position_of(Index index) const;
    // The name of `index` in `epoch`. Requires: it has one.
    [[nodiscard]] LogPosition position_in(Epoch epoch, Index index) const;

    // Whether everything after `index` is still here.
    [[nodiscard]] bool reaches(Index index) const {
        return index + 1 >= first_;
    }
    // The epoch of the entry after `index`; of the end, the epoch that is appended to.
    [[nodiscard]] Epoch epoch_after(Index index) const;
    // The entries after `index` that are of one epoch, up to about `bulk_max` and at least one
    // when there is any. Requires: reaches(index).
    [[nodiscard]] std::vector<const LogEntry*> read(Index index, std::size_t bulk_max) const;

    // The changes that lead from `held` to the newest version of the service, oldest first; empty
    // when there is no such way.
    [[nodiscard]] std::vector<DatumChange> since(const Service& service, Version held) const;

    // Whether a datum of the service that stands at `now` ever stood at `version` on the way that
    // led here, as far as can be told: what is older than all the log remembers is believed, unless
    // it is in a gap or was given beside the leader.
    [[nodiscard]] bool knows(const Service& service, Version version, Version now) const;

    // Oldest first.
    [[nodiscard]] const std::vector<VersionGap>& gaps() const {
        return gaps_;
    }

private:
    struct Kept {
        LogEntry entry;
        Index previous = 0;  // the entry of the service before this one; 0: none
    };
    struct Segment {
        Epoch epoch;
        Index first = 1;           // index of its first entry known here
        std::uint64_t number = 1;  // and that entry's number in the epoch
    };

    void open_gap();
    void close_gap(Version version);
    [[nodiscard]] std::size_t segment_of(Index index) const;
    [[nodiscard]] Index newest_of(const Service& service) const;
    [[nodiscard]] const Kept& at(Index index) const {
        return entries_[index - first_];
    }

    std::size_t capacity_;
    Index first_ = 1;  // index of entries_.front()
    std::deque<Kept> entries_;
    std::size_t bulk_ = 0;
    std::vector<Segment> segments_{Segment{}};
    Version horizon_;  // no entry with a version up to here need be remembered
    Version highest_;  // of all entries there were
    std::vector<VersionGap> gaps_;
    std::unordered_map<std::string, Index> newest_of_;  // by data_info_id
};

}  // namespace muster::store
