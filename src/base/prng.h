#pragma once

#include <array>
#include <cstdint>

namespace muster {

// Deterministic pseudo random numbers: xoshiro256** seeded by splitmix64 (Blackman and Vigna,
// "Scrambled linear pseudorandom number generators", 2018). A value: copies repeat the same
// sequence. Not for secrets.
class Prng {
public:
    explicit Prng(std::uint64_t seed);

    [[nodiscard]] std::uint64_t next();

    // Uniform in [0, bound). Requires: bound > 0.
    [[nodiscard]] std::uint64_t below(std::uint64_t bound);

    // Uniform in [low, high]. Requires: low <= high.
    [[nodiscard]] std::int64_t between(std::int64_t low, std::int64_t high);

    // True `numerator` times out of `denominator` on average.
    [[nodiscard]] bool chance(std::uint64_t numerator, std::uint64_t denominator);

private:
    std::array<std::uint64_t, 4> state_;
};

}  // namespace muster
