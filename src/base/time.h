#pragma once

#include <chrono>
#include <cstdint>

namespace muster {

using Duration = std::chrono::nanoseconds;

// Time that only moves forward, for deadlines. The clock type has no now(): time is an argument
// (env::Clock).
struct MonoClock {
    using rep = Duration::rep;
    using period = Duration::period;
    using duration = Duration;
    using time_point = std::chrono::time_point<MonoClock>;
    static constexpr bool is_steady = true;
};
using MonoTime = MonoClock::time_point;

// Time of day in milliseconds since 1970-01-01 UTC, for people, for the wire and as the physical
// part of versions. It may jump; nothing expires by it.
struct WallTime {
    std::int64_t unix_ms = 0;

    [[nodiscard]] constexpr auto operator<=>(const WallTime&) const = default;
};

[[nodiscard]] constexpr std::int64_t to_ms(Duration duration) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

[[nodiscard]] constexpr std::int64_t to_us(Duration duration) {
    return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

}  // namespace muster
