#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

namespace muster {

// Stable across machines and releases: slots, digests and stored checksums depend on it (XXH3,
// https://github.com/Cyan4973/xxHash, as packaged).
[[nodiscard]] std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0);

// An order-independent hash of a set: elements are added and removed in any order, in O(1) each.
// The sum of 128-bit hashes modulo 2^128 (an incremental multiset hash, Clarke et al. 2003).
struct SetDigest {
    std::uint64_t low = 0;
    std::uint64_t high = 0;

    void add(const SetDigest& element);
    void remove(const SetDigest& element);

    [[nodiscard]] auto operator<=>(const SetDigest&) const = default;
};

// The 128-bit hash of one element.
[[nodiscard]] SetDigest digest_of(std::string_view bytes, std::uint64_t seed = 0);

// CRC-32C (Castagnoli, RFC 3720 appendix B.4) for records on disk.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc = 0);

}  // namespace muster
