#include "sim/scale/scale_size.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <tuple>

#include <fmt/format.h>

namespace muster::sim {
namespace {

std::optional<int> number(std::string_view text, int most) {
    int value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool read = failed == std::errc() && end == text.data() + text.size();
    return read && value >= ScaleSize::kNodesMin && value <= most ? std::optional(value)
                                                                  : std::nullopt;
}

std::optional<ScaleSize> size_of(std::string_view text) {
    const std::size_t by = text.find('x');
    if (by == std::string_view::npos) {
        return std::nullopt;
    }
    const auto sessions = number(text.substr(0, by), ScaleSize::kSessionsMax);
    const auto data = number(text.substr(by + 1), ScaleSize::kDataMax);
    return sessions && data ? std::optional(ScaleSize{.data = *data, .sessions = *sessions})
                            : std::nullopt;
}

}  // namespace

Result<std::vector<ScaleSize>> parse_scale_sizes(std::string_view text) {
    std::vector<ScaleSize> sizes;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        const std::string_view one = text.substr(begin, end - begin);
        const auto size = size_of(one);
        if (!size) {
            return fail(Errc::invalid_argument,
                        fmt::format("size '{}': SESSIONSxDATA is wanted, {} to {} sessions and {} "
                                    "to {} data servers, as in 30x6,300x60",
                                    one, ScaleSize::kNodesMin, ScaleSize::kSessionsMax,
                                    ScaleSize::kNodesMin, ScaleSize::kDataMax));
        }
        sizes.push_back(*size);
        begin = end + 1;
    }
    std::ranges::sort(sizes, {}, [](const ScaleSize& size) {
        return std::tuple(size.sessions * size.data, size.sessions);
    });
    sizes.erase(std::ranges::unique(sizes).begin(), sizes.end());
    return sizes;
}

}  // namespace muster::sim
