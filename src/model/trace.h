#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/metrics.h"
#include "base/time.h"

namespace muster {

// When a change was where on its way to subscribers: it goes along with the change, in every copy
// of it. By the wall clocks of nodes, so a difference of two holds the difference of their clocks.
struct Trace {
    // When the first session got the write, or the slot's leader decided on it itself; microseconds
    // since 1970. Zero: not known.
    std::int64_t got_us = 0;
    // From then until the slot's leader had applied it; below zero when its clock is behind.
    std::int64_t to_leader_us = 0;

    [[nodiscard]] bool operator==(const Trace&) const = default;

    // Whether it says something; what another node says may be anything.
    [[nodiscard]] constexpr bool known() const {
        constexpr auto is_time = [](std::int64_t us) { return us > 0 && us < kEndUs; };
        return is_time(got_us) && to_leader_us > -kEndUs && to_leader_us < kEndUs &&
               is_time(applied_us());
    }
    // Requires: known().
    [[nodiscard]] constexpr std::int64_t applied_us() const {
        return got_us + to_leader_us;
    }

    static constexpr std::int64_t kEndUs = std::int64_t{1} << 53U;  // in the year 2255
};

// The parts of that way which are measured.
enum class Stage : std::uint8_t {
    client_to_session,  // clocks of the client and of its session
    write_round_trip,   // a session got the write until it had the leader's answer
    session_to_leader,  // until the leader had applied it: clocks of both
    leader_to_session,  // until a subscriber's session had it: clocks of both
    session_to_push,    // until it was sent to a subscriber
    push_to_ack,        // until the subscriber acknowledged it
    end_to_end,         // first session to acknowledgement: clocks of both sessions
};

inline constexpr std::size_t kStages = 7;

[[nodiscard]] std::string_view to_string(Stage stage);

// Durations of a stage, counted in buckets of 0.5 ms to 10 s.
class StageHistogram {
public:
    static constexpr std::array<std::uint64_t, 23> kBoundsUs = {
        500,     1'000,   2'000,     3'000,     5'000,     7'500,     10'000,    15'000,
        20'000,  30'000,  50'000,    75'000,    100'000,   150'000,   200'000,   300'000,
        500'000, 750'000, 1'000'000, 2'000'000, 3'000'000, 5'000'000, 10'000'000};
    using Counts = std::array<std::uint64_t, kBoundsUs.size() + 1>;  // the last: above all bounds

    // Below zero: one clock is behind the other. Counted apart, and nowhere else.
    void record(Duration duration);

    [[nodiscard]] const Counts& counts() const {
        return counts_;
    }
    [[nodiscard]] std::uint64_t count() const {
        return count_;
    }
    [[nodiscard]] std::uint64_t sum_us() const {
        return sum_us_;
    }
    [[nodiscard]] std::uint64_t max_us() const {
        return max_us_;
    }
    [[nodiscard]] std::uint64_t below_zero() const {
        return below_zero_;
    }
    // Valid while this lives and nothing is recorded.
    operator HistogramView() const;  // NOLINT(google-explicit-constructor)

private:
    Counts counts_{};
    std::uint64_t count_ = 0;
    std::uint64_t sum_us_ = 0;
    std::uint64_t max_us_ = 0;
    std::uint64_t below_zero_ = 0;
};

// Tells one stage of muster_propagation_seconds, and of what was below zero.
void write_stage(MetricsWriter& writer, Stage stage, const StageHistogram& histogram);

}  // namespace muster
