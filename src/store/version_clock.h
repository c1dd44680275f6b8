#pragma once

#include <cstdint>

#include "base/time.h"
#include "model/ids.h"

namespace muster::store {

// Gives a data server's versions: hybrid of physical time and a count (design, I2; after Kulkarni
// et al., "Logical Physical Clocks", 2014), strictly growing over everything it gave or heard, and
// never drawn by the physical clock to the ceiling the metas have put down, so that a next life
// which starts at that ceiling is above all of this one.
class VersionClock {
public:
    // Physical time stays so far below the ceiling, that there is room to count when the clock ran
    // ahead of the metas: one second's worth of versions.
    static constexpr std::uint64_t kReserve = std::uint64_t{1000} << kVersionCountBits;

    // The next version at `now`.
    [[nodiscard]] Version next(WallTime now);

    // Later versions are above `seen`.
    void merge(Version seen);

    // Physical time may draw versions up to kReserve below `ceiling`. Never lowered.
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
