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
    for (Node* node : registry_.nodes()) {
        if (const auto* session = node->session(); session != nullptr) {
            const auto status = session->status();
            at_most("publications in a session", status.publications, ever);
            at_most("services in a session", status.services_cached, services_max_);
            at_most("unacknowledged writes", status.unacknowledged_writes, 200 + 20 * states);
        }
        if (const auto* data = node->data(); data != nullptr) {
            const auto status = data->status();
            at_most("publications in a data server", status.publications, ever);
            at_most("services in a data server", status.services, services_max_);
            at_most("tombstones", status.tombstones, ever);
            at_most("sessions known to a data server", status.sessions,
                    registry_.nodes(Role::session).size());
        }
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
    session::SessionStatus sessions;
    std::size_t in_data = 0;
    for (Node* node : registry_.nodes()) {
        if (const auto* session = node->session(); session != nullptr) {
            const auto status = session->status();
            // What a session sent away others have by now.
            sessions.publications += status.publications - status.departed;
            sessions.unacknowledged_writes += status.unacknowledged_writes;
            sessions.subscriptions += status.subscriptions;
            sessions.watches += status.watches;
        }
        in_data += node->data() != nullptr ? node->data()->status().publications : 0;
    }
    equal("publications in the sessions", sessions.publications, live);
    equal("publications in the data servers", in_data, live);
    equal("unacknowledged writes", sessions.unacknowledged_writes, 0);
    equal("subscriptions", sessions.subscriptions, truth_.listeners().size());
    equal("watches", sessions.watches, truth_.watches().size());
}

}  // namespace muster::sim
