#include "sim/scenarios/world.h"

#include <fmt/format.h>

#include "sim/workloads/java_client.h"
#include "sim/workloads/lease_client.h"
#include "sim/workloads/native_client.h"

namespace muster::sim {
namespace {

using std::chrono::seconds;

// Leases are renewed at rest, too: a change may be on its way to a follower when copies are asked.
constexpr int kAsksAgain = 2;

}  // namespace

World::World(WorldOptions options)
    : trace(options.print_trace),
      prng_(options.seed),
      network(scheduler, trace, Prng(prng_.next()), cuts),
      links(scheduler, Prng(prng_.next()), cuts),
      pipes(scheduler, trace, Prng(prng_.next()), cuts),
      registry(options.registry, {scheduler, trace, network, links, pipes}, Prng(prng_.next())),
      truth(scheduler, violations),
      converges(truth),
      versions(truth),
      falsely_gone(truth),
      gone(truth),
      resurrection(truth),
      client_order(truth),
      folds(truth, registry),
      bounds(truth, registry),
      history(truth, registry),
      operator_(scheduler, trace, Prng(prng_.next()), "operator"),
      copies(truth, registry, network, operator_),
      checkers_{&converges,    &versions, &falsely_gone, &gone,    &resurrection,
                &client_order, &folds,    &bounds,       &history, &copies},
      excuses_(registry, pipes, cuts, truth, clients_),
      next_step_(scheduler.now() + kStep) {
    registry.on_connection_ended = [this](Node& session, PipeId pipe, ConnectionEnd how) {
        excuses_.on_connection_ended(session, pipe, how);
        if (const SimClient* client = excuses_.owner_of(pipe); client != nullptr) {
            history.on_connection_ended(client->name());
        }
    };
    registry.on_noted = [this](Node& node, const history::Note& note) {
        history.on_noted(node, note);
    };
    gone.allow({.brake_holds = [this] { return registry.holds_suspects(); },
                .patience = Registry::kSuspectPatience,
                .departed_held = [this] { return registry.holds_departed(); },
                .journey = session::BalancerOptions{}.journey,
                .clients_away = [this] { return clients_away(); }});
    cuts.on_opened = [this] { pipes.on_opened(); };
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
        if (scheduler.stuck()) {
            violations.report("I7 bounded", "time stands still: an event leads to another for ever",
                              {"log"});
            return;
        }
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
    excuses_.step();
    for (Checker* checker : checkers_) {
        checker->step();
    }
}

std::vector<std::string> World::clients_away() const {
    std::vector<std::string> away;
    for (const auto& client : clients_) {
        if (client->alive() && !client->settled()) {
            away.push_back(client->name());
        }
    }
    return away;
}

bool World::all_arrived() const {
    const auto leaves = [this](const auto& client) {
        return std::ranges::any_of(client->reached(), [&](const auto& reached) {
            return reached.first != client->pipe() && pipes.held_by_session(reached.first);
        });
    };
    return !registry.holds_departed() && clients_away().empty() &&
           std::ranges::none_of(clients_, leaves);
}

void World::ask_copies() {
    copies.ask();
    run(CopiesChecker::kAnswers);
}

void World::check_at_rest() {
    const MonoTime until = scheduler.now() + kTravels;
    do {
        while (!violations.any() && !all_arrived() && scheduler.now() < until) {
            run(kStep);
        }
        ask_copies();
    } while (!violations.any() && !all_arrived() && scheduler.now() < until);
    for (int again = 0; again < kAsksAgain && copies.difference(); ++again) {
        run(kStep);
        ask_copies();
    }
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

session::SessionServer* World::some_session() {
    std::vector<session::SessionServer*> able;
    for (Node* node : registry.nodes(Role::session)) {
        if (node->process().alive() && !node->process().paused()) {
            able.push_back(node->session());
        }
    }
    return able.empty() ? nullptr : able[prng_.below(able.size())];
}

void World::ask_config_put() {
    auto* session = some_session();
    if (session == nullptr) {
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
    links.faults = {};
    cuts.open_all();
    pipes.faults = {};
    registry.start_all();
}

}  // namespace muster::sim
