#include "base/hash.h"

#include <array>
#include <cstring>

#include <xxhash.h>

namespace muster {

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed) {
    return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

SetDigest digest_of(std::string_view bytes, std::uint64_t seed) {
    const XXH128_hash_t hash = XXH3_128bits_withSeed(bytes.data(), bytes.size(), seed);
    return {.low = hash.low64, .high = hash.high64};
}

void SetDigest::add(const SetDigest& element) {
    const std::uint64_t sum = low + element.low;
    const std::uint64_t carry = sum < low ? 1 : 0;
    low = sum;
    high += element.high + carry;
}

void SetDigest::remove(const SetDigest& element) {
    const std::uint64_t borrow = low < element.low ? 1 : 0;
    low -= element.low;
    high -= element.high + borrow;
}

namespace {

constexpr std::array<std::uint32_t, 256> make_crc32c_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t crc = i;
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0x82f63b78U : 0U);
        }
        table[i] = crc;
    }
    return table;
}

constexpr auto kCrc32cTable = make_crc32c_table();

std::uint32_t crc32c_by_table(std::string_view bytes, std::uint32_t crc) {
    for (const char c : bytes) {
        crc = (crc >> 8U) ^ kCrc32cTable[(crc ^ static_cast<std::uint8_t>(c)) & 0xffU];
    }
    return crc;
}

#if defined(__x86_64__)
// Eight bytes at a time where the processor can, which all of the last fifteen years can: a
// snapshot is gone over between two turns of a loop.
__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(std::string_view bytes,
                                                                      std::uint32_t crc) {
    std::uint64_t wide = crc;
    for (; bytes.size() >= sizeof(std::uint64_t); bytes.remove_prefix(sizeof(std::uint64_t))) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data(), sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    return crc32c_by_table(bytes, static_cast<std::uint32_t>(wide));
}

const bool kHasCrcInstruction = __builtin_cpu_supports("sse4.2") != 0;
#endif

}  // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc) {
#if defined(__x86_64__)
    if (kHasCrcInstruction) {
        return ~crc32c_by_instruction(bytes, ~crc);
    }
#endif
    return ~crc32c_by_table(bytes, ~crc);
}

}  // namespace muster
