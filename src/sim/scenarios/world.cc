#include "sim/scenarios/world.h"

#include <fmt/format.h>

#include "sim/workloads/java_client.h"
#include "sim/workloads/lease_client.h"
#include "sim/workloads/native_client.h"

namespace muster::sim {
namespace {

using std::chrono::seconds;

// Clients come back within 10 s of finding a server; the session waits for 14 s.
constexpr Duration kReturn = std::chrono::milliseconds(13'500);
// What a session finds closed this soon after it stood still may have closed because of that.
constexpr Duration kAfterPause = seconds(1);

}  // namespace

World::World(WorldOptions options)
    : trace(options.print_trace),
      prng_(options.seed),
      network(scheduler, trace, Prng(prng_.next())),
      pipes(scheduler, trace, Prng(prng_.next())),
      registry(options.registry, scheduler, trace, Prng(prng_.next()), network, pipes),
      truth(scheduler, violations),
      converges(truth),
      versions(truth),
      falsely_gone(truth),
      gone(truth),
      resurrection(truth),
      client_order(truth),
      bounds(truth, registry),
      checkers_{&converges, &versions, &falsely_gone, &gone, &resurrection, &client_order, &bounds},
      next_step_(scheduler.now() + kStep) {
    registry.on_connection_lost = [this](PipeId pipe) { on_connection_lost(pipe); };
}

void World::on_connection_lost(PipeId pipe) {
    SimClient* client = owner_of(pipe);
    if (client == nullptr || !client->alive()) {
        return;
    }
    const Process& session = registry.process(Role::session);
    const bool stood = session.resumed() && scheduler.now() - *session.resumed() < kAfterPause;
    if (pipes.was_reset(pipe) || !stood) {
        away_.insert(client->name());
        truth.excuse(client->name());
    } else {
        kept_[client->name()] = {.session_life = session.life(), .ran = session.ran()};
    }
}

SimClient* World::owner_of(PipeId pipe) {
    for (const auto& client : clients_) {
        if (client->uses(pipe)) {
            return client.get();
        }
    }
    return nullptr;
}

SimClient& World::add_client(ClientKind kind, const std::string& zone) {
    const ClientWorld world{scheduler, trace, pipes, truth};
    constexpr std::string_view kLetters = "jnl";
    const std::string name =
        fmt::format("{}{}", kLetters[static_cast<std::size_t>(kind)], clients_.size() + 1);
    const Prng prng(prng_.next());
    switch (kind) {
        case ClientKind::java:
            clients_.push_back(std::make_unique<JavaClient>(world, prng, name, zone));
            break;
        case ClientKind::native:
            clients_.push_back(std::make_unique<NativeClient>(world, prng, name, zone));
            break;
        case ClientKind::lease:
            clients_.push_back(std::make_unique<LeaseClient>(world, prng, name, zone));
            break;
    }
    clients_.back()->start();
    return *clients_.back();
}

void World::run(Duration how_long) {
    const MonoTime end = scheduler.now() + how_long;
    while (!violations.any() && scheduler.now() < end) {
        const MonoTime until = std::min(end, next_step_);
        scheduler.run_until(until, [this] { return violations.any(); });
        if (scheduler.now() >= next_step_) {
            step();
            next_step_ += kStep;
        }
    }
}

void World::step() {
    if (!unput_.empty() && putting_.empty()) {
        ask_config_put();
    }
    excuse_the_late();
    for (Checker* checker : checkers_) {
        checker->step();
    }
}

void World::excuse_the_late() {
    const Process& session = registry.process(Role::session);
    if (!session.alive()) {
        return;
    }
    for (const auto& client : clients_) {
        if (client->alive()) {
            excuse_if_late(*client);
        }
    }
}

void World::excuse_if_late(SimClient& client) {
    const Process& session = registry.process(Role::session);
    const std::string& name = client.name();
    const auto kept = kept_.find(name);
    if (client.settled() && pipes.session_life_of(client.pipe()) == session.life()) {
        client.note_settled(session.life());
        away_.erase(name);
        kept_.erase(name);
    } else if (client.settled_in() != session.life()) {
        if (session.ran() >= kReturn) {
            away_.insert(name);
        }
    } else if (kept != kept_.end() && kept->second.session_life == session.life() &&
               session.ran() - kept->second.ran >= kReturn) {
        away_.insert(name);
    }
    if (away_.contains(name)) {
        truth.excuse(name);
    }
}

void World::check_at_rest() {
    for (Checker* checker : checkers_) {
        if (!violations.any()) {
            checker->at_rest();
        }
    }
}

void World::put_config(const std::string& key, const std::string& value) {
    unput_[key] = value;
    truth.config_put(key, value);
}

void World::ask_config_put() {
    auto* session = registry.session();
    if (session == nullptr || registry.process(Role::session).paused()) {
        return;
    }
    std::tie(putting_, putting_value_) = *unput_.begin();
    session->put_config(++put_, {.data_id = putting_}, putting_value_, *this);
    // A session that dies never answers.
    scheduler.after(seconds(5), [this, number = put_] {
        if (number == put_) {
            putting_.clear();
        }
    });
}

void World::on_config_put(std::uint64_t token, const Result<Version>& result) {
    if (token != put_) {
        return;
    }
    note(fmt::format("config {} {}", putting_, result ? "put" : "not put"));
    if (const auto wish = unput_.find(putting_);
        result && wish != unput_.end() && wish->second == putting_value_) {
        unput_.erase(wish);
    }
    putting_.clear();
}

void World::heal() {
    note("heals");
    network.faults = {};
    network.open_all();
    pipes.faults = {};
    registry.start_all();
}

}  // namespace muster::sim
