#include "histogram.h"

#include <cstdlib>
#include <limits>
#include <string>

namespace muster::bench {

void Histogram::add(std::string_view text, std::string_view name) {
    const std::string begin = std::string(name) + "_bucket{";
    constexpr std::string_view kBound = "le=\"";
    while (!text.empty()) {
        const auto end = text.find('\n');
        const std::string line(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        const auto bound = line.find(kBound);
        if (!line.starts_with(begin) || bound == std::string::npos) {
            continue;
        }
        const char* number = line.c_str() + bound + kBound.size();
        const double le = std::string_view(number).starts_with("+Inf")
                              ? std::numeric_limits<double>::infinity()
                              : std::strtod(number, nullptr);
        cumulated_[le] += std::strtod(line.c_str() + line.rfind(' '), nullptr);
    }
}

void Histogram::take_off(const Histogram& earlier) {
    for (const auto& [bound, count] : earlier.cumulated_) {
        cumulated_[bound] -= count;
    }
}

double Histogram::count() const {
    return cumulated_.empty() ? 0 : cumulated_.rbegin()->second;
}

double Histogram::at_most(double share) const {
    for (const auto& [bound, count] : cumulated_) {
        if (count > 0 && count >= share * this->count()) {
            return bound;
        }
    }
    return 0;
}

}  // namespace muster::bench
