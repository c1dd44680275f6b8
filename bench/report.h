#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace muster::bench {

// The order statistics of a set of measurements. A mean alone is never shown.
struct Spread {
    double min = 0;
    double p50 = 0;
    double p99 = 0;
    double p999 = 0;  // shown of 1,000 and more
    double max = 0;
    std::size_t count = 0;
};

[[nodiscard]] Spread spread_of(std::vector<double> values);

struct Bound {
    enum class Kind : std::uint8_t { at_most, at_least };
    Kind kind = Kind::at_most;
    double limit = 0;
};

// One figure. Either `spread` or `value` is set.
struct Figure {
    std::string bench;
    std::string metric;
    std::string unit;
    std::optional<double> value{};
    std::optional<Spread> spread{};
    std::optional<Bound> bound{};  // on value, or on the p50 (p99 when `bound_on_p99`)
    bool bound_on_p99 = false;
};

// Prints figures as they come, one line each: a JSON object, or columns for people. Every JSON line
// names machine and commit.
class Report {
public:
    Report(bool as_json, std::string commit);

    void add(const Figure& figure);

    // No bound was missed.
    [[nodiscard]] bool all_hold() const {
        return all_hold_;
    }

private:
    bool as_json_;
    std::string commit_;
    std::string machine_;
    bool all_hold_ = true;
};

}  // namespace muster::bench
