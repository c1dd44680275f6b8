#include "sim/checkers/gone_checker.h"

#include <fmt/format.h>

namespace muster::sim {
namespace {

constexpr auto kName = "I4 eventually gone";

}  // namespace

bool GoneChecker::overdue(const TruePublication& publication) const {
    if (publication.live() || !calm_since_ || publication.ended_at < *calm_since_) {
        return false;
    }
    const Duration bound = publication.ending == Ending::silent ? kSilent : kAtOnce;
    const Duration age = truth_.now() - publication.ended_at;
    return age > bound && (!brake_.holds() || age > bound + brake_.patience);
}

void GoneChecker::step() {
    for (const auto& [listener, shown] : truth_.listeners()) {
        if (!shown) {
            continue;
        }
        for (const auto& [id, publication] : shown->publications) {
            if (overdue(truth_.publications().at(id))) {
                truth_.report(kName, fmt::format("{} still shows {}", listener.text(), id.raw()),
                              {id.raw(), listener.client});
            }
        }
    }
}

void GoneChecker::at_rest() {
    for (const auto& [listener, shown] : truth_.listeners()) {
        if (!shown) {
            continue;
        }
        for (const auto& [id, publication] : shown->publications) {
            if (!truth_.publications().at(id).live()) {
                truth_.report(kName, fmt::format("{} still shows {}", listener.text(), id.raw()),
                              {id.raw(), listener.client});
            }
        }
    }
}

}  // namespace muster::sim
