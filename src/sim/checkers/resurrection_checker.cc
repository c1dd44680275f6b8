#include "sim/checkers/resurrection_checker.h"

#include <fmt/format.h>

namespace muster::sim {

bool ResurrectionChecker::nobody_knew(const Listener& listener, const Shown* before,
                                      const Shown& now, const TruePublication& publication) const {
    const bool moved =
        before != nullptr && (before->server != now.server || before->life != now.life);
    return moved && !listener.tells_held && publication.ending != Ending::left &&
           truth_.gathering();
}

void ResurrectionChecker::on_shown(const Listener& listener, const Shown* before,
                                   const Shown& now) {
    for (const auto& [id, publication] : now.publications) {
        if (truth_.crossed(listener) || before == nullptr) {
            buried_.erase({listener, id});
        }
        const TruePublication& known = truth_.publications().at(id);
        if (buried_.contains({listener, id}) && !truth_.return_excused(known) &&
            !nobody_knew(listener, before, now, known)) {
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
        if (!now.publications.contains(id) && !known.live() && !truth_.excused(known)) {
            buried_.insert({listener, id});
        }
    }
}

}  // namespace muster::sim
