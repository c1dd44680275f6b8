#include "sim/checkers/falsely_gone_checker.h"

#include <fmt/format.h>

namespace muster::sim {

void FalselyGoneChecker::on_shown(const Listener& listener, const Shown* before, const Shown& now) {
    if (before == nullptr || truth_.crossed(listener)) {
        return;
    }
    for (const auto& [id, publication] : before->publications) {
        if (now.publications.contains(id)) {
            continue;
        }
        const TruePublication& known = truth_.publications().at(id);
        if (known.live() && !known.drained && !truth_.excused(known)) {
            truth_.report("I3 never falsely gone",
                          fmt::format("{} disappeared from {} although {} lives", id.raw(),
                                      listener.text(), known.client),
                          {id.raw(), known.client, known.service.data_id});
        }
    }
}

}  // namespace muster::sim
