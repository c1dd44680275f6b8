#include "sim/scenarios/excuses.h"

#include <algorithm>

#include "roles/session/balancer.h"
#include "sim/workloads/lease_client.h"

namespace muster::sim {
namespace {

using std::chrono::seconds;

// Clients come back within 10 s of finding a server; the session waits for 14 s. Where there are
// others to go to, the leaders wait for 10 s for the clients of a session that ended, and a session
// for 15 s for those it sent away. Half a second less than that is no excuse.
constexpr Duration kReturn = std::chrono::milliseconds(13'500);
constexpr Duration kMove = std::chrono::milliseconds(9'500);
constexpr Duration kJourney = session::BalancerOptions{}.journey - std::chrono::milliseconds(500);
// A lease runs from the last renewal, up to one pace before the client waits for an answer in vain.
constexpr Duration kLeased = LeaseClient::kLease - LeaseClient::kRenewal - seconds(1);
// What a session finds closed this soon after it stood still may have closed because of that.
constexpr Duration kAfterPause = seconds(1);

}  // namespace

void Excuses::on_connection_ended(Node& session, PipeId pipe, ConnectionEnd how) {
    SimClient* client = owner_of(pipe);
    if (client == nullptr || !client->alive()) {
        return;
    }
    Process& process = session.process();
    const ServerLife life{process.name(), process.life()};
    if (how == ConnectionEnd::sent_away) {
        if (client->settled_in() == life) {
            kept_[client->name()] = {.session = life, .ran = process.ran(), .grace = kJourney};
        }
        return;
    }
    const bool stood =
        process.resumed() && process.scheduler().now() - *process.resumed() < kAfterPause;
    if (pipes_.was_reset(pipe) || !stood) {
        away_.insert(client->name());
        truth_.excuse(client->name());
    } else {
        kept_[client->name()] = {.session = life, .ran = process.ran(), .grace = kReturn};
    }
}

SimClient* Excuses::owner_of(PipeId pipe) const {
    for (const auto& client : clients_) {
        if (client->uses(pipe)) {
            return client.get();
        }
    }
    return nullptr;
}

void Excuses::step() {
    // Who stands still when a cut heals is not reunited before it goes on.
    if (nodes_apart() || (truth_.reuniting() && some_node_stands_still())) {
        truth_.nodes_cut();
    }
    excuse_damped();
    for (const auto& client : clients_) {
        listen(*client);
        if (client->alive()) {
            judge(*client);
        }
        // Also of one that died: the session it left may stand still, and hear of neither; and the
        // one it came to may tell late that it came, and see later still that it is gone.
        if (left_behind(*client) || (!client->alive() && unheard_of(*client))) {
            truth_.excuse_return(client->name());
        }
    }
}

// Another session may have shown it, and lose it.
void Excuses::excuse_damped() {
    if (registry_.options().sessions == 1) {
        return;
    }
    for (Node* node : registry_.nodes(Role::session)) {
        const auto* session = node->session();
        if (session == nullptr || session->status().damped == 0) {
            continue;
        }
        for (const auto& instance : session->flapping(session->status().damped)) {
            truth_.excuse(truth_.publications().at(instance.id).client);
        }
    }
}

bool Excuses::nodes_apart() const {
    const auto nodes = registry_.nodes();
    return std::ranges::any_of(nodes, [&](Node* one) {
        return std::ranges::any_of(nodes, [&](Node* other) {
            return cuts_.blocked(one->process().name(), other->process().name());
        });
    });
}

bool Excuses::some_node_stands_still() const {
    return std::ranges::any_of(registry_.nodes(),
                               [](Node* node) { return node->process().paused(); });
}

void Excuses::judge(SimClient& client) {
    const std::string& name = client.name();
    const ServerLife now = pipes_.session_of(client.pipe());
    if (now.life != 0 && pipes_.held_by_session(client.pipe()) && client.settled_in().life != 0 &&
        client.settled_in().server != now.server) {
        truth_.excuse_return(name);
    }
    if (now.life != 0 && client.settled() && pipes_.held_by_session(client.pipe()) &&
        !unheard_of(client)) {
        client.note_settled(now);
        away_.erase(name);
        kept_.erase(name);
        if (client.falls_silent()) {
            const Process& process = registry_.node(now.server).process();
            kept_[name] = {.session = now, .ran = process.ran(), .grace = kLeased};
        }
    } else if (client.settled_in().life == 0) {
        client.note_settled(now);  // begins here
    } else if (late(client)) {
        away_.insert(name);
    }
    if (away_.contains(name)) {
        truth_.excuse(name);
    }
}

// Whether a session holds a connection that the client has left for another.
bool Excuses::left_behind(const SimClient& client) const {
    return std::ranges::any_of(client.reached(), [&](const auto& item) {
        return item.first != client.pipe() && pipes_.held_by_session(item.first);
    });
}

bool Excuses::goes_on(const ServerLife& session) const {
    const Process& process = registry_.node(session.server).process();
    return process.alive() && process.life() == session.life;
}

void Excuses::listen(const SimClient& client) {
    const ServerLife holder = pipes_.holder_of(client.pipe());
    const auto hears = [&](Node* data) {
        return !cuts_.apart(holder.server, data->process().name());
    };
    if (holder.life != 0 && !registry_.node(holder.server).process().paused() &&
        std::ranges::all_of(registry_.nodes(Role::data), hears)) {
        heard_[client.name()] = client.pipe();
    }
}

bool Excuses::unheard_of(const SimClient& client) const {
    const ServerLife home = client.settled_in();
    const ServerLife holder = pipes_.holder_of(client.pipe());
    if (registry_.options().sessions == 1 || home.life == 0 || holder.life == 0) {
        return false;
    }
    const bool moved = home.server != holder.server || !goes_on(home);
    const auto heard = heard_.find(client.name());
    return moved && (heard == heard_.end() || heard->second != client.pipe());
}

bool Excuses::late(const SimClient& client) const {
    const ServerLife home = client.settled_in();
    Node& node = registry_.node(home.server);
    Process& process = node.process();
    if (goes_on(home)) {
        const auto kept = kept_.find(client.name());
        return kept != kept_.end() && kept->second.session == home &&
               process.ran() - kept->second.ran >= kept->second.grace;
    }
    if (registry_.options().sessions == 1) {
        return process.alive() && process.ran() >= kReturn;
    }
    // A session whose end was seen leaves orphans; one that nobody saw ending is waited for until
    // it starts anew.
    return node.machine_lost() ? process.alive() && process.ran() >= kMove
                               : process.scheduler().now() - *node.ended() >= kMove;
}

}  // namespace muster::sim
