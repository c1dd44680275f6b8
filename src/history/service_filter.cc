#include "history/service_filter.h"

#include <bit>

#include "base/hash.h"

namespace muster::history {
namespace {

constexpr int kProbes = 4;
constexpr std::size_t kByteBits = 8;
// One bit of so many may be set: then one in about 250 services is taken for one that is there.
constexpr std::size_t kSparseness = 4;

// Where the bits of a service are, in a filter of `bytes`. Tells `see` until that says no.
template <typename See>
bool for_bits(std::string_view service, std::size_t bytes, const See& see) {
    const std::uint64_t hash = hash64(service);
    const std::uint64_t step = (hash >> 32U) | 1U;
    for (std::uint64_t probe = 0; probe < kProbes; ++probe) {
        const std::size_t bit = (hash + probe * step) & (bytes * kByteBits - 1);
        if (!see(bit / kByteBits, static_cast<std::uint8_t>(1U << (bit % kByteBits)))) {
            return false;
        }
    }
    return true;
}

}  // namespace

void ServiceFilter::add(std::string_view service) {
    for_bits(service, bits_.size(), [&](std::size_t byte, std::uint8_t bit) {
        bits_[byte] = static_cast<char>(static_cast<std::uint8_t>(bits_[byte]) | bit);
        return true;
    });
}

bool ServiceFilter::may_have(std::string_view service) const {
    return for_bits(service, bits_.size(), [&](std::size_t byte, std::uint8_t bit) {
        return (static_cast<std::uint8_t>(bits_[byte]) & bit) != 0;
    });
}

std::size_t ServiceFilter::bits_set() const {
    std::size_t count = 0;
    for (const char byte : bits_) {
        count += static_cast<std::size_t>(std::popcount(static_cast<std::uint8_t>(byte)));
    }
    return count;
}

void ServiceFilter::shrink() {
    while (bits_.size() > kBytesMin && bits_set() * kSparseness * 2 <= bits_.size() * kByteBits) {
        const std::size_t half = bits_.size() / 2;
        for (std::size_t i = 0; i < half; ++i) {
            bits_[i] = static_cast<char>(static_cast<std::uint8_t>(bits_[i]) |
                                         static_cast<std::uint8_t>(bits_[half + i]));
        }
        bits_.resize(half);
    }
}

}  // namespace muster::history
