#include "apps/load/metrics_text.h"

#include <cstdlib>
#include <string>

namespace muster::load {

std::optional<double> metric(std::string_view metrics_text, std::string_view name,
                             std::string_view labels) {
    std::optional<double> sum;
    while (!metrics_text.empty()) {
        const auto end = metrics_text.find('\n');
        const std::string_view line = metrics_text.substr(0, end);
        metrics_text.remove_prefix(end == std::string_view::npos ? metrics_text.size() : end + 1);
        if (!line.starts_with(name) || line.size() == name.size()) {
            continue;
        }
        const char next = line[name.size()];
        if ((next != ' ' && next != '{') || line.find(labels) == std::string_view::npos) {
            continue;
        }
        const std::string value(line.substr(line.rfind(' ') + 1));
        sum = sum.value_or(0) + std::strtod(value.c_str(), nullptr);
    }
    return sum;
}

}  // namespace muster::load
