#pragma once

#include <map>
#include <string_view>

namespace muster::bench {

// A histogram of /metrics: how many were at most each bound, cumulated. Several add up, and what
// was counted before can be taken off.
class Histogram {
public:
    void add(std::string_view metrics_text, std::string_view name);
    void take_off(const Histogram& earlier);

    [[nodiscard]] double count() const;
    // The bound that `share` (0 to 1) of all are at most at; zero of an empty one. A true quantile
    // is at most this, and more than half of it.
    [[nodiscard]] double at_most(double share) const;

private:
    std::map<double, double> cumulated_;  // by bound; infinity last
};

}  // namespace muster::bench
