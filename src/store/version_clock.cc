#include "store/version_clock.h"

#include <algorithm>

#include "base/check.h"

namespace muster::store {

namespace {

constexpr std::uint64_t kMillisecond = 2 * kApart;

std::uint64_t physical(WallTime now) {
    return now.unix_ms > 0 ? static_cast<std::uint64_t>(now.unix_ms) << kVersionCountBits : 0;
}

}  // namespace

Version apart_from(Version lowest, std::uint64_t own) {
    CHECK(own < kApart);
    return Version(lowest.raw() + (kApart + own - lowest.raw()) % kMillisecond);
}

Version VersionClock::lowest_next(WallTime now) const {
    CHECK(latest_.raw() + 1 < ceiling_.raw());
    const std::uint64_t room = limit_.raw() > 2 * kTurn ? limit_.raw() - (2 * kTurn) : 0;
    return Version(std::max(latest_.raw() + 1, std::min(drawn(now).raw(), room)));
}

Version VersionClock::next(WallTime now) {
    latest_ = lowest_next(now);
    const std::uint64_t above = latest_.raw() - (latest_.raw() % kMillisecond) + kMillisecond;
    if (given_apart(latest_) && above + 1 < ceiling_.raw()) {
        latest_ = Version(above);
    }
    return latest_;
}

Version VersionClock::drawn(WallTime now) const {
    return Version(ceiling_.raw() > kReserve ? std::min(physical(now), ceiling_.raw() - kReserve)
                                             : 0);
}

void VersionClock::set_limit(Version limit) {
    limit_ = limit_ == kNoLimit ? limit : std::max(limit_, limit);
}

void VersionClock::begin_at(Version mark) {
    latest_ = std::max(latest_, mark);
}

Version VersionClock::next_apart(WallTime now, std::uint64_t own) {
    latest_ = lowest_next(now);
    const Version apart = apart_from(latest_, own);
    if (apart.raw() + 1 < ceiling_.raw()) {
        latest_ = apart;
    }
    return latest_;
}

void VersionClock::merge(Version seen) {
    if (seen < ceiling_) {
        latest_ = std::max(latest_, seen);
    }
}

void VersionClock::merge_said(Version seen) {
    if (seen.raw() + kReserve / 2 < ceiling_.raw()) {
        merge(seen);
    }
}

bool VersionClock::believable(Version seen, Version ceiling, WallTime now) {
    return ceiling == Version{} || seen < ceiling || seen.raw() <= physical(now);
}

void VersionClock::raise_ceiling(Version ceiling) {
    ceiling_ = std::max(ceiling_, ceiling);
}

}  // namespace muster::store
