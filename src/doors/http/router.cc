#include "doors/http/router.h"

#include <algorithm>
#include <cstddef>
#include <set>

#include "base/check.h"
#include "wire/http1/target.h"

namespace muster::http {
namespace {

constexpr std::size_t kNearestMax = 3;
constexpr std::size_t kComparedBytesMax = 128;

bool is_parameter(std::string_view segment) {
    return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

bool fits(const std::vector<std::string>& pattern, const std::vector<std::string>& segments) {
    return std::ranges::equal(pattern, segments, [](const auto& want, const auto& have) {
        return is_parameter(want) ? !have.empty() : want == have;
    });
}

// How many single-character edits lead from one text to the other (Levenshtein).
std::size_t edit_distance(std::string_view a, std::string_view b) {
    a = a.substr(0, kComparedBytesMax);
    b = b.substr(0, kComparedBytesMax);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) {
        row[j] = j;
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({above + 1, row[j - 1] + 1, changed});
            diagonal = above;
        }
    }
    return row[b.size()];
}

// Segment by segment, so that what stands for a parameter costs nothing.
std::size_t distance(const std::vector<std::string>& pattern,
                     const std::vector<std::string>& segments) {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < std::max(pattern.size(), segments.size()); ++i) {
        const std::string_view want = i < pattern.size() ? pattern[i] : std::string_view{};
        const std::string_view have = i < segments.size() ? segments[i] : std::string_view{};
        const bool filled = is_parameter(want) && !have.empty();
        sum += filled ? 0 : 1 + edit_distance(want, have);
        sum -= !filled && want == have ? 1 : 0;
    }
    return sum;
}

}  // namespace

void Router::add(Route route) {
    for (const Route& known : routes_) {
        CHECK(known.method != route.method || known.path != route.path);
    }
    auto segments = http1::split_path(route.path);
    CHECK(segments.has_value());
    templates_.push_back(*std::move(segments));
    routes_.push_back(std::move(route));
}

std::variant<RouteMatch, NoRoute, WrongMethod> Router::match(
    std::string_view method, const std::vector<std::string>& segments) const {
    std::string allow;
    for (std::size_t i = 0; i < routes_.size(); ++i) {
        if (!fits(templates_[i], segments)) {
            continue;
        }
        const Route& route = routes_[i];
        const bool heads = route.method == "GET" && route.kind != RouteKind::streaming;
        if (route.method == method || (heads && method == "HEAD")) {
            RouteMatch match{.index = i, .params = {}};
            for (std::size_t s = 0; s < segments.size(); ++s) {
                const std::string_view want = templates_[i][s];
                if (is_parameter(want)) {
                    match.params.emplace_back(want.substr(1, want.size() - 2), segments[s]);
                }
            }
            return match;
        }
        allow += (allow.empty() ? "" : ", ") + route.method + (heads ? ", HEAD" : "");
    }
    if (!allow.empty()) {
        return WrongMethod{std::move(allow)};
    }
    return NoRoute{nearest(segments)};
}

std::vector<std::string> Router::nearest(const std::vector<std::string>& segments) const {
    std::set<std::pair<std::size_t, std::size_t>> ranked;
    for (std::size_t i = 0; i < routes_.size(); ++i) {
        ranked.emplace(distance(templates_[i], segments), i);
    }
    std::vector<std::string> names;
    for (const auto& [cost, index] : ranked) {
        if (names.size() == kNearestMax) {
            break;
        }
        names.push_back(routes_[index].method + " " + routes_[index].path);
    }
    return names;
}

}  // namespace muster::http
