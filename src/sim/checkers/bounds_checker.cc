#include "sim/checkers/bounds_checker.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace muster::sim {
namespace {

constexpr auto kName = "I7 bounded";

}  // namespace

void BoundsChecker::step() {
    const auto at_most = [&](std::string_view what, std::size_t count, std::size_t limit) {
        if (count > limit) {
            truth_.report(kName, fmt::format("{} {}, at most {}", count, what, limit), {"log"});
        }
    };
    const std::size_t ever = truth_.publications().size();
    std::size_t states = ever;  // registrations, updates and ends, each resent after reconnects
    for (const auto& [id, publication] : truth_.publications()) {
        states += publication.contents.size();
    }
    if (auto* session = registry_.session(); session != nullptr) {
        const auto status = session->status();
        at_most("publications in the session", status.publications, ever);
        at_most("services in the session", status.services_cached, services_max_);
        at_most("unacknowledged writes", status.unacknowledged_writes, 200 + 20 * states);
    }
    if (auto* data = registry_.data(); data != nullptr) {
        const auto status = data->status();
        at_most("publications in the data server", status.publications, ever);
        at_most("services in the data server", status.services, services_max_);
        at_most("tombstones", status.tombstones, ever);
        at_most("sessions known to the data server", status.sessions, 1);
    }
}

void BoundsChecker::at_rest() {
    const auto equal = [&](std::string_view what, std::size_t count, std::size_t expected) {
        if (count != expected) {
            truth_.report(kName, fmt::format("{} {} at rest, not {}", count, what, expected),
                          {"log"});
        }
    };
    const auto live = static_cast<std::size_t>(std::ranges::count_if(
        truth_.publications(), [](const auto& item) { return item.second.live(); }));
    const auto status = registry_.session()->status();
    equal("publications in the session", status.publications, live);
    equal("publications in the data server", registry_.data()->status().publications, live);
    equal("unacknowledged writes", status.unacknowledged_writes, 0);
    equal("subscriptions", status.subscriptions, truth_.listeners().size());
    equal("watches", status.watches, truth_.watches().size());
}

}  // namespace muster::sim
