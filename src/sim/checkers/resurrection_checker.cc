#include "sim/checkers/resurrection_checker.h"

#include <fmt/format.h>

namespace muster::sim {

void ResurrectionChecker::on_shown(const Listener& listener, const Shown* before,
                                   const Shown& now) {
    auto& buried = buried_[listener];
    if (before == nullptr) {  // what its list lacks yet may come and go
        buried.clear();
    }
    const bool may_know_less = truth_.crossed(listener);
    for (const auto& [id, publication] : now.publications) {
        if (may_know_less) {
            buried.erase(id);
        }
        if (!buried.contains(id)) {
            continue;
        }
        const TruePublication& known = truth_.publications().at(id);
        if (known.live() && !known.drained) {
            buried.erase(id);  // it was restored
        } else if (truth_.return_excused(known)) {
            buried.erase(id);  // it came back then; how long it stays is for I4
        } else {
            truth_.report("I5 no resurrection",
                          fmt::format("{} came back to {}", id.raw(), listener.text()),
                          {id.raw(), known.client});
        }
    }
    if (before == nullptr) {
        return;
    }
    for (const auto& [id, publication] : before->publications) {
        const TruePublication& known = truth_.publications().at(id);
        const bool ended = !known.live() || known.drained;
        if (!now.publications.contains(id) && ended && !truth_.excused(known)) {
            buried.insert(id);
        }
    }
}

}  // namespace muster::sim
