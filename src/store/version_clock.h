#pragma once

#include <cstdint>

#include "base/time.h"
#include "model/ids.h"

namespace muster::store {

// Gives a data server's versions: hybrid of physical time and a count (design, I2; after Kulkarni
// et al., "Logical Physical Clocks", 2014), strictly growing over everything it gave or heard, and
// always below the ceiling the metas have put down, so that a next life which starts at that
// ceiling is above all of this one. Physical time draws versions only to kReserve below the
// ceiling: what is left is for counting when no meta has raised it for long.
class VersionClock {
public:
    static constexpr std::uint64_t kReserve = std::uint64_t{1} << 29;  // 16 s of physical time

    // The next version at `now`. Requires: !exhausted().
    [[nodiscard]] Version next(WallTime now);

    // The same for somebody who gives versions beside another one that does not know of it: as far
    // as `apart` above, so that both do not give the same one. Requires: !exhausted().
    [[nodiscard]] Version next_apart(WallTime now, std::uint64_t apart);

    // No version is left below the ceiling, or none was put down yet: wait for the metas.
    [[nodiscard]] bool exhausted() const {
        return latest_.raw() + 1 >= ceiling_.raw();
    }

    // Later versions are above `seen`, unless it is at or above the ceiling: nobody can have been
    // given that, so it is no version of ours.
    void merge(Version seen);

    // Never lowered.
    void raise_ceiling(Version ceiling);

    [[nodiscard]] Version latest() const {
        return latest_;
    }
    [[nodiscard]] Version ceiling() const {
        return ceiling_;
    }

private:
    Version latest_;
    Version ceiling_;
};

}  // namespace muster::store
