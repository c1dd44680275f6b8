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
    const bool silent = publication.ending == Ending::silent;
    Duration bound = silent ? kSilent : kAtOnce;
    const Duration age = truth_.now() - publication.ended_at;
    if (age <= bound) {
        return false;
    }
    bound += silent && excuses_.departed_held() ? excuses_.journey : Duration{};
    bound += excuses_.brake_holds() ? excuses_.patience : Duration{};
    return age > bound;
}

bool GoneChecker::was_away(const std::string& client) const {
    const auto away = away_.find(client);
    return away != away_.end() && truth_.now() - away->second <= 2 * kAtOnce;
}

void GoneChecker::step() {
    for (std::string& client : excuses_.clients_away()) {
        away_[std::move(client)] = truth_.now();
    }
    if (!calm_since_) {
        return;
    }
    for (const auto& [listener, shown] : truth_.listeners()) {
        if (!shown || was_away(listener.client)) {
            continue;
        }
        for (const auto& [id, publication] : shown->publications) {
            const TruePublication& truth = truth_.publications().at(id);
            if (overdue(truth) && !was_away(truth.client)) {
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
