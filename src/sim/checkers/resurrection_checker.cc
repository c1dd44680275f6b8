#include "sim/checkers/resurrection_checker.h"

#include <fmt/format.h>

namespace muster::sim {

void ResurrectionChecker::on_shown(const Listener& listener, const Shown* before,
                                   const Shown& now) {
    for (const auto& [id, publication] : now.publications) {
        if (truth_.crossed(listener) || before == nullptr) {
            buried_.erase({listener, id});
        }
        if (buried_.contains({listener, id}) &&
            !truth_.return_excused(truth_.publications().at(id))) {
            truth_.report("I5 no resurrection",
                          fmt::format("{} came back to {}", id.raw(), listener.text()),
                          {id.raw(), truth_.publications().at(id).client});
        }
    }
    if (before == nullptr) {
        return;
    }
    for (const auto& [id, publication] : before->publications) {
        const TruePublication& known = truth_.publications().at(id);
        if (!now.publications.contains(id) && !known.live() && !truth_.excused(known)) {
            buried_.insert({listener, id});
        }
    }
}

}  // namespace muster::sim
