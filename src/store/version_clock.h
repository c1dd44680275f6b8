#pragma once

#include <cstdint>

#include "base/time.h"
#include "model/ids.h"

namespace muster::store {

// Versions that are given beside another node have this bit, all others have not: where counting
// within a millisecond would reach it, the next millisecond begins.
inline constexpr std::uint64_t kApart = std::uint64_t{1} << (kVersionCountBits - 1);

[[nodiscard]] constexpr bool given_apart(Version version) {
    return (version.raw() & kApart) != 0;
}

// The lowest version not below `lowest` that has kApart and, below it, `own`. Requires: own <
// kApart.
[[nodiscard]] Version apart_from(Version lowest, std::uint64_t own);

// Gives a data server's versions: hybrid of physical time and a count (design, I2; after Kulkarni
// et al., "Logical Physical Clocks", 2014), strictly growing over everything it gave or heard, and
// always below the ceiling the metas have put down, so that a next life which starts at that
// ceiling is above all of this one. Physical time draws versions only to kReserve below the
// ceiling: what is left is for counting when no meta has raised it for long.
class VersionClock {
public:
    static constexpr std::uint64_t kReserve = std::uint64_t{1} << 29;  // 16 s of physical time
    // So much is left below the limit when a turn begins: more than it may give, which is a
    // millisecond for each write of a batch that is taken in a leader's stead.
    static constexpr std::uint64_t kTurn = std::uint64_t{1} << 26;

    // The next version at `now`. Requires: !exhausted().
    [[nodiscard]] Version next(WallTime now);

    // The same for somebody who gives versions beside another one that does not know of it: with
    // kApart and, below it, `own`, so that no two give the same one. Just below the ceiling there
    // may be no such version: then it is a usual one. Requires: !exhausted(), own < kApart.
    [[nodiscard]] Version next_apart(WallTime now, std::uint64_t own);

    // No turn that gives versions may begin: none is left below the ceiling, or none was put down
    // yet (wait for the metas), or too few below the limit (awaits_limit()).
    [[nodiscard]] bool exhausted() const {
        return latest_.raw() + 1 >= ceiling_.raw() || latest_.raw() + kTurn >= limit_.raw();
    }
    // It is only the limit that has to be raised.
    [[nodiscard]] bool awaits_limit() const {
        return exhausted() && latest_.raw() + 1 < ceiling_.raw();
    }

    // Later versions are above `seen`, unless it is at or above the ceiling: nobody can have been
    // given that, so it is no version of ours.
    void merge(Version seen);

    // The same of what clients say: nor is a version believed that only counting in the upper half
    // of kReserve would have come to, which leaves room to go on until the ceiling is raised.
    void merge_said(Version seen);

    // Never lowered.
    void raise_ceiling(Version ceiling);

    // A second bound beside the ceiling, the node's own: what it has written down that it gives
    // (docs/adr/0007). Never lowered, once set; none before.
    void set_limit(Version limit);

    // Later versions are not below `mark`, wherever the ceiling is.
    void begin_at(Version mark);

    // As far as physical time draws versions below the ceiling.
    [[nodiscard]] Version drawn(WallTime now) const;

    [[nodiscard]] Version latest() const {
        return latest_;
    }
    [[nodiscard]] Version ceiling() const {
        return ceiling_;
    }

    // Whether `seen` may have been given, as far as somebody can tell who knows this ceiling (zero:
    // none), which the metas may have raised since with the clock.
    [[nodiscard]] static bool believable(Version seen, Version ceiling, WallTime now);

private:
    [[nodiscard]] Version lowest_next(WallTime now) const;

    Version latest_;
    Version ceiling_;
    static constexpr Version kNoLimit{std::uint64_t{1} << 63};
    Version limit_ = kNoLimit;
};

}  // namespace muster::store
