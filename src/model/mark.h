#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "model/attributes.h"

namespace muster {

// What an operator said about one instance. It is kept beside the publication, by every copy of its
// slot, and not in it: what the publication's session owns stays the same.
struct Mark {
    enum class Kind : std::uint8_t {
        drained,   // it is about to leave: no list shows it
        restored,  // it is back: its weight grows, within `ramp_ms`, to what it published
    };
    static constexpr std::int64_t kRampMsMax = 3'600'000;

    Kind kind = Kind::drained;
    std::int64_t since_ms = 0;  // wall clock of the leader that took it
    std::int64_t ramp_ms = 0;

    [[nodiscard]] bool operator==(const Mark&) const = default;
};

// How the weight of an instance grows that came back. Lists tell it by attributes of the
// publication, which only subscribers see.
struct Ramp {
    WallTime since;
    Duration length{};

    // None: they tell of none, or of one that cannot be.
    [[nodiscard]] static std::optional<Ramp> read(const Attributes& attributes);
    // `attributes`, with it.
    [[nodiscard]] Attributes added_to(const Attributes& attributes) const;

    [[nodiscard]] bool operator==(const Ramp&) const = default;
};

}  // namespace muster
