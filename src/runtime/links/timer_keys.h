#pragma once

#include <chrono>
#include <cstdint>

#include "base/time.h"
#include "env/timers.h"

// The timers of ClusterLinks: one beat, and one a peer for its next dial.
namespace muster::runtime {

inline constexpr Duration kBeat = std::chrono::milliseconds(50);
inline constexpr env::TimerKey kBeatKey{0};

[[nodiscard]] inline env::TimerKey key_of_peer(std::uint64_t number) {
    return env::TimerKey(number);
}
[[nodiscard]] inline std::uint64_t number_of_peer(env::TimerKey key) {
    return key.raw();
}

}  // namespace muster::runtime
