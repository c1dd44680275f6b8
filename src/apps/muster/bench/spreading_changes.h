#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "apps/load/latencies.h"
#include "base/time.h"

namespace muster::cli::bench {

// Changes on their way to subscribers: of each entry the versions that not all were shown yet. A
// subscriber that is shown a version was told all before it, too.
class SpreadingChanges {
public:
    SpreadingChanges(std::size_t entries, std::uint64_t subscribers)
        : ways_(entries), subscribers_(subscribers) {}

    // Called for each change that a subscriber was shown: when it was due, and shown.
    void on_shown(std::function<void(Duration, Duration)> call) {
        on_shown_ = std::move(call);
    }

    // A new version of the entry, due then. Requires: one above the entry's last one begun.
    void begin(std::uint32_t entry, std::uint32_t version, Duration due);

    // One subscriber went from one version of it to another.
    void shown(std::uint32_t entry, std::uint32_t from, std::uint32_t to, Duration at);

    // Changes that not all were shown yet.
    [[nodiscard]] std::uint64_t open() const {
        return open_;
    }
    [[nodiscard]] std::uint64_t begun() const {
        return begun_;
    }
    [[nodiscard]] const load::Latencies& to_each() const {
        return to_each_;
    }
    [[nodiscard]] const load::Latencies& to_last() const {
        return to_last_;
    }

private:
    struct Change {
        std::uint32_t version = 0;
        std::uint64_t left = 0;  // subscribers
        Duration due{};
    };

    std::vector<std::deque<Change>> ways_;  // by entry, oldest first
    std::uint64_t subscribers_;
    std::function<void(Duration, Duration)> on_shown_;
    std::uint64_t open_ = 0;
    std::uint64_t begun_ = 0;
    load::Latencies to_each_;
    load::Latencies to_last_;
};

}  // namespace muster::cli::bench
