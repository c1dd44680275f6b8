#include "store/slot_log.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include "base/check.h"
#include "store/version_clock.h"

namespace muster::store {
namespace {

std::size_t bulk(const LogEntry& entry) {
    std::size_t sum = 0;
    for (const Effect& effect : entry.effects) {
        sum += effect.publication != nullptr ? bulk_of(*effect.publication) : 1;
    }
    return std::max<std::size_t>(1, sum);
}

void fold(DatumChange& change, const LogEntry& entry) {
    for (const Effect& effect : entry.effects) {
        if (!effect.visible) {
            continue;
        }
        const RegistId& id = effect.regist_id();
        std::erase_if(change.upserts, [&](const PublicationPtr& p) { return p->id == id; });
        std::erase_if(change.removals, [&](const Departure& r) { return r.id == id; });
        if (effect.publication == nullptr) {
            change.removals.push_back({id, effect.order, effect.connection});
        } else if (auto told = shown(effect.publication, effect.mark)) {
            change.upserts.push_back(std::move(told));
        } else {
            change.removals.push_back(hidden(*effect.publication));
        }
    }
}

}  // namespace

DatumChange change_of(const LogEntry& entry) {
    DatumChange change{.service = entry.service,
                       .from = entry.from,
                       .to = entry.to,
                       .upserts = {},
                       .removals = {},
                       .trace = entry.trace};
    fold(change, entry);
    return change;
}

void SlotLog::reset(LogPosition at, Version horizon) {
    entries_.clear();
    newest_of_.clear();
    bulk_ = 0;
    first_ = 1;
    segments_.assign(1, {.epoch = at.epoch, .first = 1, .number = at.number + 1});
    horizon_ = horizon;
    highest_ = horizon;
}

void SlotLog::reset(LogPosition at, Version horizon, std::vector<VersionGap> gaps) {
    reset(at, horizon);
    gaps_ = std::move(gaps);
    if (gaps_.size() > kEpochsMax) {
        gaps_.erase(gaps_.begin(), gaps_.end() - kEpochsMax);
    }
}

void SlotLog::begin(Epoch epoch) {
    if (segments_.back().epoch == Epoch{}) {
        segments_.back().epoch = epoch;
    } else {
        segments_.push_back({.epoch = epoch, .first = newest() + 1, .number = 1});
    }
    if (segments_.size() > kEpochsMax) {
        segments_.erase(segments_.begin());
    }
    open_gap();
}

// What others gave above our highest version, and what they go on to give, is not of this log.
void SlotLog::open_gap() {
    if (!gaps_.empty() && gaps_.back().below == Version{}) {
        return;
    }
    gaps_.push_back({.above = highest_, .below = {}});
    if (gaps_.size() > kEpochsMax) {
        gaps_.erase(gaps_.begin());
    }
}

// What is given beside the leader says nothing of what it gives meanwhile.
void SlotLog::close_gap(Version version) {
    if (gaps_.empty() || gaps_.back().below != Version{} || given_apart(version)) {
        return;
    }
    if (version > Version(gaps_.back().above.raw() + 1)) {
        gaps_.back().below = version;
    } else {
        gaps_.pop_back();
    }
}

void SlotLog::append(LogEntry entry) {
    const Index index = newest() + 1;
    Index previous = 0;
    if (entry.from < entry.to) {
        close_gap(entry.to);
        highest_ = std::max(highest_, entry.to);
    }
    if (entry.from != entry.to) {
        auto& newest = newest_of_[entry.service->data_info_id()];
        previous = std::exchange(newest, index);
    }
    bulk_ += bulk(entry);
    entries_.push_back({std::move(entry), previous});
    while (bulk_ > capacity_ && entries_.size() > 1) {
        const LogEntry& oldest = entries_.front().entry;
        bulk_ -= bulk(oldest);
        horizon_ = std::max(horizon_, oldest.to);
        const auto last = newest_of_.find(oldest.service->data_info_id());
        if (last != newest_of_.end() && last->second == first_) {
            newest_of_.erase(last);
        }
        entries_.pop_front();
        ++first_;
    }
}

std::size_t SlotLog::segment_of(Index index) const {
    std::size_t segment = segments_.size() - 1;
    while (segment > 0 && segments_[segment].first > index) {
        --segment;
    }
    return segment;
}

LogPosition SlotLog::position_of(Index index) const {
    const Segment& segment = segments_[segment_of(index + 1)];
    return {segment.epoch, segment.number + (index + 1 - segment.first) - 1};
}

LogPosition SlotLog::position_in(Epoch epoch, Index index) const {
    const auto segment = std::ranges::find(segments_, epoch, &Segment::epoch);
    CHECK(segment != segments_.end() && index + 1 >= segment->first);
    return {epoch, segment->number + (index + 1 - segment->first) - 1};
}

Epoch SlotLog::epoch_after(Index index) const {
    return segments_[segment_of(index + 1)].epoch;
}

std::optional<SlotLog::Index> SlotLog::find(LogPosition held) const {
    if (held.epoch == Epoch{}) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < segments_.size(); ++i) {
        const Segment& segment = segments_[i];
        if (segment.epoch != held.epoch || held.number + 1 < segment.number) {
            continue;
        }
        const Index index = segment.first + (held.number + 1 - segment.number) - 1;
        const Index end = i + 1 < segments_.size() ? segments_[i + 1].first - 1 : newest();
        return index <= end ? std::optional(index) : std::nullopt;
    }
    return std::nullopt;
}

std::vector<const LogEntry*> SlotLog::read(Index index, std::size_t bulk_max) const {
    CHECK(reaches(index));
    std::vector<const LogEntry*> read;
    const Epoch epoch = epoch_after(index);
    std::size_t bulk_read = 0;
    while (index < newest() && epoch_after(index) == epoch) {
        const LogEntry& next = at(++index).entry;
        bulk_read += bulk(next);
        if (!read.empty() && bulk_read > bulk_max) {
            break;
        }
        read.push_back(&next);
    }
    return read;
}

SlotLog::Index SlotLog::newest_of(const Service& service) const {
    const auto found = newest_of_.find(service.data_info_id());
    return found == newest_of_.end() ? 0 : found->second;
}

std::vector<DatumChange> SlotLog::since(const Service& service, Version held) const {
    std::vector<DatumChange> changes;
    for (Index index = newest_of(service); index >= first_; index = at(index).previous) {
        const LogEntry& entry = at(index).entry;
        changes.push_back(change_of(entry));
        if (entry.from == held) {
            std::ranges::reverse(changes);
            return changes;
        }
        if (entry.from < held) {
            break;
        }
    }
    return {};
}

bool SlotLog::knows(const Service& service, Version version, Version now) const {
    if (version == now) {
        return true;
    }
    const bool in_gap = std::ranges::any_of(gaps_, [&](const VersionGap& gap) {
        return version > gap.above && (gap.below == Version{} || version < gap.below);
    });
    if (version <= horizon_ && version < now && !in_gap && !given_apart(version)) {
        return true;
    }
    for (Index index = newest_of(service); index >= first_; index = at(index).previous) {
        const LogEntry& entry = at(index).entry;
        if (entry.from == version || entry.to == version) {
            return true;
        }
    }
    return false;
}

}  // namespace muster::store
