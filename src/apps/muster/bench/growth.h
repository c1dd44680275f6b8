#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace muster::cli::bench {

// What each of some things takes, found by adding them in steps: an order of the steps, no mean.
class Growth {
public:
    // A step added so many of them, and memory went from one to the other.
    void add(std::uint64_t count, double before, double after) {
        if (count > 0) {
            steps_.push_back((after - before) / static_cast<double>(count));
        }
    }

    // Bytes of one: in the step in which it was least, in the median (the higher of two), and most.
    // Zero without steps; below zero when memory shrank.
    [[nodiscard]] double least() const {
        return at(0);
    }
    [[nodiscard]] double median() const {
        return at(steps_.size() / 2);
    }
    [[nodiscard]] double most() const {
        return at(steps_.empty() ? 0 : steps_.size() - 1);
    }
    [[nodiscard]] std::size_t steps() const {
        return steps_.size();
    }
    // How many a GB (10^9 bytes) holds at the median; zero when that is not above zero.
    [[nodiscard]] double in_a_gb() const {
        return median() > 0 ? 1e9 / median() : 0;
    }

private:
    [[nodiscard]] double at(std::size_t rank) const {
        if (steps_.empty()) {
            return 0;
        }
        auto sorted = steps_;
        std::ranges::sort(sorted);
        return sorted[rank];
    }

    std::vector<double> steps_;
};

}  // namespace muster::cli::bench
