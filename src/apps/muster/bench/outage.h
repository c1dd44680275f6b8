#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"

namespace muster::cli::bench {

// Finds the longest outage in when changes were due and when subscribers were shown them, and how
// long everybody then took to catch up. Keeps a figure for each 10 ms, for an hour and some more;
// what lies beyond counts as the last.
class Outage {
public:
    // Nothing before `begin` is added.
    explicit Outage(Duration begin) : begin_(begin) {}

    // A subscriber was shown a change that was due then.
    void add(Duration due, Duration at);

    // How long a subscriber was at most behind.
    [[nodiscard]] Duration longest() const {
        return longest_;
    }
    // From its end, which is when the first that was shown late (by half of it at least) was shown,
    // until all were shown what was due by then. To 10 ms.
    [[nodiscard]] Duration to_equal() const;

private:
    static constexpr Duration kStep = std::chrono::milliseconds(10);
    static constexpr std::size_t kStepsMax = 400'000;

    [[nodiscard]] std::size_t step_of(Duration at) const;

    Duration begin_;
    Duration longest_{};
    Duration longest_at_{};
    std::vector<Duration> latest_;     // by when it was shown: the longest behind
    std::vector<Duration> last_seen_;  // by when it was due: when the last was shown it
};

}  // namespace muster::cli::bench
