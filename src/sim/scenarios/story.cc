#include "sim/scenarios/story.h"

#include <algorithm>

namespace muster::sim {

Story::Story(Roles roles, std::uint64_t seed, Duration sync_max)
    : Story({.embedded = roles == Roles::together, .sync_max = sync_max}, seed) {}

Story::Story(const RegistryOptions& registry, std::uint64_t seed)
    : world({.seed = seed, .registry = registry}) {
    world.bounds.allow_services(10);
    world.registry.start_all();
    wait(std::chrono::seconds(1));
}

SimClient& Story::client(ClientKind kind, const std::string& zone) {
    SimClient& added = world.add_client(kind, zone);
    wait(std::chrono::milliseconds(100));
    return added;
}

void Story::kill_all(Death how) {
    for (Node* node : world.registry.nodes()) {
        node->kill(how);
    }
}

void Story::move_clocks(Duration by) {
    for (Node* node : world.registry.nodes()) {
        node->process().clock().jump(by);
    }
}

std::set<std::string> Story::seen_by(const SimClient& who) const {
    std::set<std::string> ids;
    for (const auto& [listener, shown] : world.truth.listeners()) {
        if (listener.client == who.name() && shown) {
            for (const auto& [id, publication] : shown->publications) {
                ids.insert(id.raw());
            }
            break;
        }
    }
    return ids;
}

std::set<std::string> Story::ever_seen_by(const SimClient& who) const {
    const auto known = memory_.ids.find(who.name());
    return known == memory_.ids.end() ? std::set<std::string>{} : known->second;
}

std::string Story::differs() const {
    const auto found = world.converges.difference();
    return found ? found->what : "";
}

Duration Story::wait_until_equal(Duration at_most) {
    const MonoTime begun = world.scheduler.now();
    while (!differs().empty() && world.scheduler.now() - begun < at_most &&
           !world.violations.any()) {
        wait(std::chrono::milliseconds(10));
    }
    return world.scheduler.now() - begun;
}

std::vector<SimClient*> Story::clients_of(const std::string& session) const {
    std::vector<SimClient*> some;
    for (const auto& client : world.clients()) {
        if (client->alive() && world.pipes.session_of(client->pipe()).server == session) {
            some.push_back(client.get());
        }
    }
    return some;
}

std::string Story::broken() const {
    if (!world.violations.any()) {
        return {};
    }
    const auto& first = world.violations.first();
    return first.invariant + ": " + first.what;
}

std::string Story::broken_at_rest() {
    world.heal();
    world.run(World::kConvergence);
    world.check_at_rest();
    return broken();
}

void Story::Memory::on_shown(const Listener& listener, const Shown*, const Shown& now) {
    for (const auto& [id, publication] : now.publications) {
        ids[listener.client].insert(id.raw());
    }
}

}  // namespace muster::sim
