#include "pick_table.h"

#include <algorithm>
#include <cmath>

#include "base/hash.h"

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

PickTable::PickTable(ListRef list, std::string_view own_zone, const PickTable* previous)
    : list_(std::move(list)) {
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
        add(all_, i);
        if (entries[i].publication->zone == own_zone) {
            add(near_, i);
        }
    }
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
        case MUSTER_ROUND_ROBIN: return from.indexes[request.turn % from.indexes.size()];
        case MUSTER_LEAST_REQUESTS: return less_busy(from, prng);
        case MUSTER_CONSISTENT_HASH: return highest_score(from, request.key);
        case MUSTER_WEIGHTED_RANDOM: break;
    }
    return weighted(from, prng);
}

std::size_t PickTable::weighted(const Candidates& from, Prng& prng) const {
    const std::uint64_t ticket = prng.below(from.weight_sums.back());
    const auto at = std::ranges::upper_bound(from.weight_sums, ticket);
    return from.indexes[static_cast<std::size_t>(at - from.weight_sums.begin())];
}

// Compares (calls + 1) / weight of two different candidates without dividing.
std::size_t PickTable::less_busy(const Candidates& from, Prng& prng) const {
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
        return (calls + 1) * list_->entries()[other].endpoint.weight;
    };
    return load(b, a) < load(a, b) ? b : a;
}

// Weighted rendezvous hashing (Thaler and Ravishankar, "Using name-based mappings to increase hit
// rates", 1998; weights after Schindelhauer and Schomaker, "Weighted distributed hash tables",
// 2005): each endpoint scores weight / -ln(u) with u in (0, 1) from the hash of key and address.
std::size_t PickTable::highest_score(const Candidates& from, std::string_view key) const {
    const std::uint64_t key_hash = hash64(key);
    std::size_t best = from.indexes.front();
    double best_score = -1;
    for (const std::size_t index : from.indexes) {
        const std::uint64_t bits = mix(key_hash ^ hash_of_[index]) >> 11U;
        const double u = (static_cast<double>(bits) + 0.5) * 0x1p-53;
        const double score = list_->entries()[index].endpoint.weight / -std::log(u);
        if (score > best_score) {
            best = index;
            best_score = score;
        }
    }
    return best;
}

}  // namespace muster::sdk_core
