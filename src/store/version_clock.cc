#include "store/version_clock.h"

#include <algorithm>

#include "base/check.h"

namespace muster::store {

Version VersionClock::next(WallTime now) {
    CHECK(latest_.raw() + 1 < ceiling_.raw());
    const std::uint64_t room = limit_.raw() > 2 * kTurn ? limit_.raw() - (2 * kTurn) : 0;
    latest_ = Version(std::max(latest_.raw() + 1, std::min(drawn(now).raw(), room)));
    return latest_;
}

Version VersionClock::drawn(WallTime now) const {
    const std::uint64_t physical =
        now.unix_ms > 0 ? static_cast<std::uint64_t>(now.unix_ms) << kVersionCountBits : 0;
    return Version(ceiling_.raw() > kReserve ? std::min(physical, ceiling_.raw() - kReserve) : 0);
}

void VersionClock::set_limit(Version limit) {
    limit_ = limit_ == kNoLimit ? limit : std::max(limit_, limit);
}

void VersionClock::begin_at(Version mark) {
    latest_ = std::max(latest_, mark);
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
