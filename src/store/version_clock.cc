#include "store/version_clock.h"

#include <algorithm>

#include "base/check.h"

namespace muster::store {

Version VersionClock::next(WallTime now) {
    CHECK(!exhausted());
    const std::uint64_t physical =
        now.unix_ms > 0 ? static_cast<std::uint64_t>(now.unix_ms) << kVersionCountBits : 0;
    const std::uint64_t drawn = ceiling_.raw() > kReserve
                                    ? std::min(physical, ceiling_.raw() - kReserve)
                                    : std::uint64_t{0};
    latest_ = Version(std::max(latest_.raw() + 1, drawn));
    return latest_;
}

Version VersionClock::next_apart(WallTime now, std::uint64_t apart) {
    const Version next = this->next(now);
    if (next.raw() + apart + 1 < ceiling_.raw()) {
        latest_ = Version(next.raw() + apart);
    }
    return latest_;
}

void VersionClock::merge(Version seen) {
    if (seen < ceiling_) {
        latest_ = std::max(latest_, seen);
    }
}

void VersionClock::raise_ceiling(Version ceiling) {
    ceiling_ = std::max(ceiling_, ceiling);
}

}  // namespace muster::store
