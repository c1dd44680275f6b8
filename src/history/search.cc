#include "history/search.h"

#include <algorithm>
#include <utility>

namespace muster::history {
namespace {

constexpr std::size_t kLossesMax = 100;

}  // namespace

bool Search::step(Ring& ring) {
    if (below_ == std::numeric_limits<std::uint64_t>::max()) {
        note_loss(ring.untold());
    }
    if (blocks_.empty()) {
        return open_next(ring);
    }
    const BlockPlace place = blocks_.back();
    blocks_.pop_back();
    if (!may_want(place.head.first_ms, place.head.last_ms)) {
        return false;
    }
    if (!spend(place.head.raw_bytes)) {
        return finish(looked_ms_);
    }
    read_block(place);
    looked_ms_ = std::min(looked_ms_, place.head.first_ms);
    return answer_.more && finish(answer_.records.back().at_ms);
}

// Finds the next segment that may have something.
bool Search::open_next(Ring& ring) {
    segment_.clear();
    const Ring::Segment* next = ring.newest_below(below_);
    while (next != nullptr) {
        below_ = next->number;
        const SegmentIndex& index = next->index;
        if (index.records == 0 || !may_want(index.first_ms, index.last_ms)) {
            next = ring.newest_below(below_);
            continue;
        }
        note_loss(index.lost);
        if (!index.services.may_have(query_.service)) {
            looked_ms_ = std::min(looked_ms_, index.first_ms);
            next = ring.newest_below(below_);
            continue;
        }
        if (!spend(next->bytes)) {
            return finish(looked_ms_);
        }
        auto bytes = ring.read(*next);
        if (bytes) {
            segment_ = *std::move(bytes);
            blocks_ = find_blocks(segment_);
        }
        return false;
    }
    return finish(ring.oldest_ms());
}

void Search::read_block(const BlockPlace& place) {
    const auto batch = decode_block(segment_, place);
    if (!batch) {
        return;
    }
    std::vector<HistoryRecord> found;
    [[maybe_unused]] const auto read = for_each_record(*batch, [&](const RecordView& view) {
        if (view.service() != query_.service || !may_want(view.at_ms(), view.at_ms())) {
            return;
        }
        if (auto record = view.read(); record && wanted(*record)) {
            found.push_back(*std::move(record));
        }
    });
    for (auto record = found.rbegin(); record != found.rend(); ++record) {
        if (answer_.records.size() >= query_.limit) {
            answer_.more = true;
            return;
        }
        answer_.records.push_back(std::move(*record));
    }
}

bool Search::may_want(std::int64_t first_ms, std::int64_t last_ms) const {
    return last_ms >= query_.since_ms && (query_.until_ms == 0 || first_ms <= query_.until_ms);
}

bool Search::wanted(const HistoryRecord& record) const {
    return query_.address.empty() ||
           std::ranges::find(record.addresses, query_.address) != record.addresses.end();
}

void Search::note_loss(const HistoryLoss& lost) {
    if (lost.records == 0 || !may_want(lost.from_ms, lost.to_ms)) {
        return;
    }
    if (answer_.lost.size() < kLossesMax) {
        answer_.lost.push_back(lost);
    } else {
        merge(answer_.lost.back(), lost);
    }
}

bool Search::spend(std::uint64_t bytes) {
    const bool enough = bytes <= bytes_left_;
    bytes_left_ -= std::min(bytes_left_, bytes);
    return enough;
}

bool Search::finish(std::int64_t reaches_ms) {
    answer_.reaches_ms = reaches_ms == std::numeric_limits<std::int64_t>::max() ? 0 : reaches_ms;
    std::erase_if(answer_.lost,
                  [&](const HistoryLoss& lost) { return lost.to_ms < answer_.reaches_ms; });
    return true;
}

}  // namespace muster::history
