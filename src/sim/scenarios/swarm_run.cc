#include "sim/scenarios/swarm_run.h"

#include <functional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/scenarios/churn.h"
#include "sim/scenarios/swarm.h"
#include "sim/scenarios/world.h"

namespace muster::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kCalm = seconds(30);
constexpr std::size_t kStoryLines = 60;

// The hand of chance in one run.
class Storm {
public:
    Storm(World& world, const Swarm& swarm, Prng prng)
        : world_(world),
          swarm_(swarm),
          prng_(prng),
          churn_(world.clients(), swarm.services, Prng(prng_.next())) {}

    void begin();
    void end();
    // Clients leave in every way; whoever is left goes on.
    void calm_departures();
    void act() {
        churn_.act();
    }

private:
    // Calls `event` again and again, about `mean` apart, while the storm lasts.
    void every(Duration mean, void (Storm::*event)());
    void add_client();
    void break_pipe();
    void crash_node(Death how);
    void crash(Node& node, Death how);
    void kill_node() {
        crash_node(Death::killed);
    }
    void power_off() {
        crash_node(Death::power_off);
    }
    void pause_node();
    void cut();
    void cut_in_halves();
    void jump_clock();
    void kill_client();
    void lose_client();
    void pause_client();
    void congest();
    void put_config();
    void flap();
    [[nodiscard]] SimClient* some_client() {
        return churn_.some_client();
    }
    [[nodiscard]] Node& some_node();
    [[nodiscard]] Duration between(Duration low, Duration high);

    World& world_;
    Swarm swarm_;
    Prng prng_;
    Churn churn_;
    bool over_ = false;
    int configs_ = 0;
};

Duration Storm::between(Duration low, Duration high) {
    return Duration(prng_.between(low.count(), high.count()));
}

void Storm::every(Duration mean, void (Storm::*event)()) {
    if (mean == Duration{}) {
        return;
    }
    world_.scheduler.after(between(mean / 4, mean * 7 / 4), [this, mean, event] {
        if (!over_) {
            (this->*event)();
            every(mean, event);
        }
    });
}

void Storm::begin() {
    world_.links.faults = {
        .missing = swarm_.lost, .late = swarm_.late, .late_max = swarm_.late_max};
    world_.network.faults = {.lost = swarm_.lost,
                             .doubled = swarm_.doubled,
                             .late = swarm_.late,
                             .late_max = swarm_.late_max};
    world_.bounds.allow_services(static_cast<std::size_t>(swarm_.services));
    for (int i = 0; i < swarm_.clients; ++i) {
        add_client();
    }
    every(swarm_.act, &Storm::act);
    every(swarm_.reset, &Storm::break_pipe);
    every(swarm_.crash, &Storm::kill_node);
    every(swarm_.power_off, &Storm::power_off);
    every(swarm_.pause, &Storm::pause_node);
    every(swarm_.cut, &Storm::cut);
    every(swarm_.halves, &Storm::cut_in_halves);
    every(swarm_.clock_jump, &Storm::jump_clock);
    every(swarm_.client_crash, &Storm::kill_client);
    every(swarm_.client_lost, &Storm::lose_client);
    every(swarm_.client_pause, &Storm::pause_client);
    every(swarm_.congestion, &Storm::congest);
    every(swarm_.config, &Storm::put_config);
    every(swarm_.flap, &Storm::flap);
    if (swarm_.session_added > Duration{}) {
        world_.scheduler.after(swarm_.session_added,
                               [this] { world_.registry.add(Role::session).start(); });
    }
}

void Storm::end() {
    over_ = true;
    world_.heal();
}

void Storm::add_client() {
    const bool native = prng_.below(100) < static_cast<std::uint64_t>(swarm_.native_percent);
    const bool leased = swarm_.leases && prng_.chance(1, 4);
    SimClient& client = world_.add_client(leased   ? ClientKind::lease
                                          : native ? ClientKind::native
                                                   : ClientKind::java,
                                          prng_.chance(1, 2) ? "zone-a" : "zone-b");
    const auto publications = prng_.below(3);
    for (std::uint64_t i = 0; i < publications; ++i) {
        client.publish(churn_.some_service());
    }
    client.subscribe(churn_.some_service(), prng_.chance(1, 3) ? Scope::zone : Scope::data_center);
}

Node& Storm::some_node() {
    const auto nodes = world_.registry.nodes();
    return *nodes[prng_.below(nodes.size())];
}

void Storm::break_pipe() {
    SimClient* client = some_client();
    if (client == nullptr) {
        return;
    }
    Break how{.client_told = !prng_.chance(1, 4),
              .server_told = !prng_.chance(1, 4),
              .client_told_after = between(milliseconds(1), milliseconds(50)),
              .server_told_after = between(milliseconds(1), milliseconds(50))};
    if (prng_.chance(1, 3)) {
        how.client_told_after = between(milliseconds(50), seconds(5));
    }
    if (prng_.chance(1, 3)) {
        how.server_told_after = between(milliseconds(50), seconds(5));
    }
    world_.pipes.reset(client->pipe(), how);
}

void Storm::crash_node(Death how) {
    if (prng_.chance(1, 4)) {
        // Together, as when a rack loses its power.
        for (Node* node : world_.registry.nodes()) {
            crash(*node, how);
        }
    } else {
        crash(some_node(), how);
    }
}

void Storm::crash(Node& node, Death how) {
    if (node.process().alive()) {
        node.kill(how);
        world_.scheduler.after(between(milliseconds(20), seconds(5)), [&node] { node.start(); });
    }
}

void Storm::pause_node() {
    const Duration how_long = prng_.chance(1, 3) ? between(seconds(5), seconds(20))
                                                 : between(milliseconds(100), seconds(5));
    some_node().pause(how_long);
}

void Storm::cut() {
    const std::string from = some_node().process().name();
    const std::string to = some_node().process().name();
    std::vector<Cuts::Pair> pairs{{from, to}};
    if (prng_.chance(1, 2)) {
        pairs.emplace_back(to, from);
    }
    world_.note(
        fmt::format("is cut from {} to {}{}", from, to, pairs.size() > 1 ? " and back" : ""));
    world_.scheduler.after(
        between(milliseconds(100), seconds(8)),
        [this, id = world_.cuts.cut(std::move(pairs))] { world_.cuts.open(id); });
}

void Storm::cut_in_halves() {
    std::vector<std::string> one;
    std::vector<std::string> other;
    for (Node* node : world_.registry.nodes()) {
        (prng_.chance(1, 2) ? one : other).push_back(node->process().name());
    }
    for (const auto& client : world_.clients()) {
        if (client->alive()) {
            (prng_.chance(1, 2) ? one : other).push_back(client->name());
        }
    }
    world_.note(fmt::format("is cut in halves, one is {}", fmt::join(one, " ")));
    const auto id = world_.cuts.cut(Cuts::between(one, other));
    world_.scheduler.after(between(milliseconds(200), seconds(12)), [this, id] {
        world_.note("is whole again");
        world_.cuts.open(id);
    });
}

void Storm::jump_clock() {
    const Duration by = between(-minutes(70), minutes(70));
    SimClient* client = some_client();
    if (prng_.chance(1, 2) && client != nullptr) {
        client->clock().jump(by);
        client->process().note(fmt::format("its clock jumps by {} ms", to_ms(by)));
    } else {
        Process& process = some_node().process();
        process.clock().jump(by);
        process.note(fmt::format("its clock jumps by {} ms", to_ms(by)));
    }
}

void Storm::kill_client() {
    if (SimClient* client = some_client(); client != nullptr) {
        client->kill(false);
        add_client();
    }
}

void Storm::lose_client() {
    if (SimClient* client = some_client(); client != nullptr) {
        client->kill(true);
        add_client();
    }
}

void Storm::pause_client() {
    if (SimClient* client = some_client(); client != nullptr) {
        client->pause(between(milliseconds(100), seconds(10)));
    }
}

void Storm::congest() {
    SimClient* client = some_client();
    if (client == nullptr) {
        return;
    }
    const Duration how_long = between(milliseconds(10), seconds(3));
    for (Node* node : world_.registry.nodes(Role::session)) {
        for (const auto* dialect : {&kNative, &kJava}) {
            if (Door* door = node->door(dialect->name); door != nullptr) {
                door->congest(client->pipe(), how_long);
            }
        }
    }
}

void Storm::put_config() {
    world_.put_config(fmt::format("switch-{}", prng_.below(2)),
                      fmt::format("value-{}", ++configs_));
}

// One and the same, as long as it lives.
void Storm::flap() {
    const auto& clients = world_.clients();
    const auto client = std::ranges::find_if(clients, [](const auto& one) { return one->alive(); });
    if (client == clients.end() || (*client)->process().paused()) {
        return;
    }
    if (prng_.chance(1, 4)) {
        world_.pipes.reset((*client)->pipe(), {});
    } else if ((*client)->published().empty()) {
        (*client)->publish({.data_id = "service-1"});
    } else {
        (*client)->withdraw((*client)->published().back());
    }
}

void Storm::calm_departures() {
    for (int i = 0; i < 20; ++i) {
        world_.scheduler.after(between(milliseconds(0), seconds(5)), [this] { act(); });
    }
    world_.scheduler.after(seconds(1), [this] { kill_client(); });
    world_.scheduler.after(seconds(2), [this] { lose_client(); });
    world_.scheduler.after(seconds(3), [this] { put_config(); });
}

std::string story_of(const World& world) {
    const auto& violation = world.violations.first();
    std::vector<std::string> words = violation.words;
    for (const char* word : {" world ", "starts", "killed", "stands still", "goes on", "jumps",
                             "breaks pipe", "is cut", "closes idle"}) {
        words.emplace_back(word);
    }
    std::string story;
    for (const std::string& line : world.trace.about(words, kStoryLines)) {
        story += line + "\n";
    }
    return story;
}

// Few clients count for much where there are few.
session::BalancerOptions balance_of(const Swarm& swarm) {
    session::BalancerOptions options;
    if (swarm.balance_grace > Duration{}) {
        options.limits.count_over = 1;
        options.grace = swarm.balance_grace;
        options.percent_per_second = 30;
    }
    return options;
}

// Nothing is forgotten within a run.
session::FlapDampingOptions flap_damping_of(const Swarm& swarm) {
    return {.flips = swarm.flips,
            .window = std::chrono::hours(1),
            .hold = swarm.flap_hold,
            .percent = 100};
}

data::TellLimits tells_of(const Swarm& swarm) {
    data::TellLimits limits;
    if (swarm.tell_batch > 0) {
        limits.batch = swarm.tell_batch;
        limits.window = swarm.tell_window;
    }
    return limits;
}

}  // namespace

RunOutcome run_swarm(const RunOptions& options) {
    Prng prng(options.seed);
    const Swarm swarm = options.full      ? Swarm::draw_full_cluster(prng)
                        : options.cluster ? Swarm::draw_cluster(prng)
                                          : Swarm::draw(prng);
    World world({.seed = prng.next(),
                 .registry = {.embedded = swarm.embedded,
                              .metas = swarm.metas,
                              .data = swarm.data,
                              .sessions = swarm.sessions,
                              .slots = swarm.slots,
                              .copies = swarm.copies,
                              .zones = swarm.zones,
                              .sync_max = swarm.sync_max,
                              .brake = swarm.brake,
                              .balance = balance_of(swarm),
                              .flap_damping = flap_damping_of(swarm),
                              .tells = tells_of(swarm)},
                 .print_trace = options.print_trace});
    Storm storm(world, swarm, Prng(prng.next()));
    world.registry.start_all();
    storm.begin();
    world.run(swarm.storm);
    if (!world.violations.any()) {
        storm.end();
        world.run(World::kConvergence + (swarm.brake ? Registry::kSuspectPatience : Duration{}));
        world.check_at_rest();
    }
    if (!world.violations.any()) {
        world.note("is calm");
        world.gone.calm();
        storm.calm_departures();
        world.run(kCalm);
        world.check_at_rest();
    }

    RunOutcome outcome{.passed = !world.violations.any(),
                       .hash = world.hash(),
                       .events = world.scheduler.events_done(),
                       .views = world.truth.views_shown(),
                       .swarm = swarm.text()};
    if (!outcome.passed) {
        const auto& violation = world.violations.first();
        outcome.violation = violation.invariant + ": " + violation.what;
        outcome.story = story_of(world);
    }
    return outcome;
}

RunOutcome run_swarm_twice(const RunOptions& options) {
    RunOutcome first = run_swarm(options);
    RunOptions quiet = options;
    quiet.print_trace = false;
    const RunOutcome second = run_swarm(quiet);
    if (first.hash != second.hash) {
        first.passed = false;
        first.violation = fmt::format("the same seed gave two runs: {:016x} and {:016x}",
                                      first.hash, second.hash);
    }
    return first;
}

}  // namespace muster::sim
