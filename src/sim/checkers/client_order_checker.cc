#include "sim/checkers/client_order_checker.h"

#include <algorithm>

#include <fmt/format.h>

namespace muster::sim {
namespace {

constexpr auto kName = "I8 order by the client";

}  // namespace

void ClientOrderChecker::on_shown(const Listener& listener, const Shown* before, const Shown& now) {
    const bool may_know_less = truth_.crossed(listener);
    auto& newest_of = newest_[listener];
    if (before == nullptr) {  // what its list lacks may come in an older state, too
        newest_of.clear();
    }
    for (const auto& [id, publication] : now.publications) {
        const auto known = truth_.publications().find(id);
        if (known == truth_.publications().end() || publication->boxes.size() != 1) {
            truth_.report(kName, listener.text() + " was shown the unknown " + id.raw(),
                          {id.raw()});
            continue;
        }
        const auto& contents = known->second.contents;
        const auto state = std::ranges::find(contents, publication->boxes.front());
        const auto number = static_cast<std::size_t>(state - contents.begin());
        std::size_t& newest = newest_of[id];
        if (may_know_less) {
            newest = std::min(newest, number);
        }
        if (state == contents.end() || number < newest) {
            truth_.report(kName,
                          fmt::format("{} was shown state {} of {} after {}", listener.text(),
                                      number, id.raw(), newest),
                          {id.raw(), known->second.client});
        }
        newest = std::max(newest, number);
    }
}

}  // namespace muster::sim
