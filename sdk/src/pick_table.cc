#include "pick_table.h"

#include <algorithm>
#include <cmath>

#include "base/hash.h"
#include "model/mark.h"

namespace muster::sdk_core {
namespace {

bool usable(const Endpoint& endpoint) {
    return endpoint.port != 0 && endpoint.enabled && endpoint.healthy && endpoint.weight > 0;
}

// The finaliser of splitmix64 (Steele, Lea, Flood 2014): every bit of the sum counts.
std::uint64_t mix(std::uint64_t z) {
    z += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
}

}  // namespace

PickTable::PickTable(ListRef list, std::string_view own_zone, const PickTable* previous,
                     PickTime came)
    : list_(std::move(list)), came_(came) {
    const auto& entries = list_->entries();
    count_of_.resize(entries.size(), nullptr);
    hash_of_.resize(entries.size(), 0);
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (!usable(entries[i].endpoint)) {
            continue;
        }
        std::string address = address_of(i);
        hash_of_[i] = hash64(address);
        CallCount& count = counts_[address];
        if (count == nullptr && previous != nullptr) {
            const auto known = previous->counts_.find(address);
            count = known != previous->counts_.end() ? known->second : nullptr;
        }
        if (count == nullptr) {
            count = std::make_shared<std::atomic<std::uint32_t>>(0);
        }
        count_of_[i] = count.get();
        note_growing(i, previous);
        add(all_, i);
        if (entries[i].publication->zone == own_zone) {
            add(near_, i);
        }
    }
}

// One whose weight has grown is remembered, too: by the wall clock it may seem to begin.
void PickTable::note_growing(std::size_t index, const PickTable* previous) {
    const Publication& publication = *list_->entries()[index].publication;
    const auto ramp = Ramp::read(publication.attributes);
    if (!ramp) {
        return;
    }
    const std::int64_t told_ms =
        std::clamp<std::int64_t>(came_.wall.unix_ms - ramp->since.unix_ms, 0, to_ms(ramp->length));
    Growing growing{.since_ms = ramp->since.unix_ms,
                    .length = ramp->length,
                    .at_first = std::chrono::milliseconds(told_ms)};
    if (const Growing* seen = previous == nullptr ? nullptr : previous->find(publication.id);
        seen != nullptr && seen->since_ms == growing.since_ms) {
        growing.at_first =
            std::max(growing.at_first, seen->at_first + (came_.mono - previous->came_.mono));
    }
    growing_.insert_or_assign(publication.id, growing);
}

const PickTable::Growing* PickTable::find(const RegistId& id) const {
    const auto found = growing_.empty() ? growing_.end() : growing_.find(id);
    return found == growing_.end() ? nullptr : &found->second;
}

std::uint64_t PickTable::part(std::size_t index, MonoTime now) const {
    const Growing* growing = find(list_->entries()[index].publication->id);
    if (growing == nullptr) {
        return kWhole;
    }
    const Duration age = growing->at_first + std::max(now - came_.mono, Duration::zero());
    const auto grown =
        static_cast<std::uint64_t>(std::min(age, growing->length) * kWhole / growing->length);
    return std::clamp(grown, kPartMin, kWhole);
}

std::uint64_t PickTable::weight(std::size_t index, MonoTime now) const {
    return list_->entries()[index].endpoint.weight * part(index, now);
}

bool PickTable::passes_over(std::size_t index, MonoTime now, Prng& prng) const {
    const std::uint64_t share = part(index, now);
    return share < kWhole && prng.below(kWhole) >= share;
}

std::string PickTable::address_of(std::size_t index) const {
    const Endpoint& endpoint = list_->entries()[index].endpoint;
    return endpoint.ip + ":" + std::to_string(endpoint.port);
}

void PickTable::add(Candidates& candidates, std::size_t index) const {
    const std::uint64_t before = candidates.weight_sums.empty() ? 0 : candidates.weight_sums.back();
    candidates.indexes.push_back(index);
    candidates.weight_sums.push_back(before + list_->entries()[index].endpoint.weight);
}

std::optional<std::size_t> PickTable::pick(const PickRequest& request, Prng& prng) const {
    const Candidates& from = request.any_zone || near_.indexes.empty() ? all_ : near_;
    if (from.indexes.empty()) {
        return std::nullopt;
    }
    switch (request.policy) {
        case MUSTER_ROUND_ROBIN: return in_turn(from, request, prng);
        case MUSTER_LEAST_REQUESTS: return less_busy(from, request.now, prng);
        case MUSTER_CONSISTENT_HASH: return highest_score(from, request);
        case MUSTER_WEIGHTED_RANDOM: break;
    }
    return weighted(from, request.now, prng);
}

// One whose weight grows is passed over as often as it lacks weight.
std::size_t PickTable::in_turn(const Candidates& from, const PickRequest& request,
                               Prng& prng) const {
    const std::size_t size = from.indexes.size();
    std::size_t index = from.indexes[request.turn % size];
    for (std::size_t i = 1; i < size && passes_over(index, request.now, prng); ++i) {
        index = from.indexes[(request.turn + i) % size];
    }
    return index;
}

// Drawn by whole weights; what lacks weight is drawn again as often as it does. When all lack some
// the last draw counts.
std::size_t PickTable::weighted(const Candidates& from, MonoTime now, Prng& prng) const {
    constexpr int kDrawsMax = 32;
    std::size_t index = 0;
    for (int draw = 0; draw < kDrawsMax; ++draw) {
        const std::uint64_t ticket = prng.below(from.weight_sums.back());
        const auto at = std::ranges::upper_bound(from.weight_sums, ticket);
        index = from.indexes[static_cast<std::size_t>(at - from.weight_sums.begin())];
        if (!passes_over(index, now, prng)) {
            break;
        }
    }
    return index;
}

// Compares (calls + 1) / weight of two different candidates without dividing.
std::size_t PickTable::less_busy(const Candidates& from, MonoTime now, Prng& prng) const {
    const std::size_t size = from.indexes.size();
    const std::size_t first = prng.below(size);
    if (size == 1) {
        return from.indexes[first];
    }
    const std::size_t second = (first + 1 + prng.below(size - 1)) % size;
    const std::size_t a = from.indexes[first];
    const std::size_t b = from.indexes[second];
    const auto load = [&](std::size_t index, std::size_t other) {
        const std::uint64_t calls = count_of_[index]->load(std::memory_order_relaxed);
        return (calls + 1) * weight(other, now);
    };
    return load(b, a) < load(a, b) ? b : a;
}

// Weighted rendezvous hashing (Thaler and Ravishankar, "Using name-based mappings to increase hit
// rates", 1998; weights after Schindelhauer and Schomaker, "Weighted distributed hash tables",
// 2005): each endpoint scores weight / -ln(u) with u in (0, 1) from the hash of key and address.
std::size_t PickTable::highest_score(const Candidates& from, const PickRequest& request) const {
    const std::uint64_t key_hash = hash64(request.key);
    std::size_t best = from.indexes.front();
    double best_score = -1;
    for (const std::size_t index : from.indexes) {
        const std::uint64_t bits = mix(key_hash ^ hash_of_[index]) >> 11U;
        const double u = (static_cast<double>(bits) + 0.5) * 0x1p-53;
        const double score = static_cast<double>(weight(index, request.now)) / -std::log(u);
        if (score > best_score) {
            best = index;
            best_score = score;
        }
    }
    return best;
}

}  // namespace muster::sdk_core
