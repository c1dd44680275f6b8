#include "sim/scale/scale_run.h"

#include <algorithm>

#include <fmt/format.h>

namespace muster::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kPatience = std::chrono::minutes(2);
constexpr Duration kLook = milliseconds(100);
// What is said of copies that changed, for a second, has been said after so long.
constexpr Duration kQuiet = seconds(2);
// What the clients of one session say at once.
constexpr std::uint64_t kBatch = 1000;

RegistryOptions registry_of(const ScaleSize& size) {
    return {.metas = size.metas,
            .data = size.data,
            .sessions = size.sessions,
            .slots = ScaleRun::kSlots,
            .copies = ScaleRun::kCopies,
            .zones = 3};
}

}  // namespace

ScaleRun::ScaleRun(const ScaleSize& size)
    : network_(scheduler_, trace_, Prng(1), cuts_),
      links_(scheduler_, Prng(2), cuts_),
      pipes_(scheduler_, trace_, Prng(3), cuts_),
      registry_(registry_of(size), {scheduler_, trace_, network_, links_, pipes_}, Prng(4)),
      traffic_(scheduler_, network_, registry_) {
    trace_.silence();
}

void ScaleRun::run(Duration how_long) {
    scheduler_.run_until(scheduler_.now() + how_long, [] { return false; });
}

std::string ScaleRun::start() {
    registry_.start_all();
    const MonoTime end = scheduler_.now() + kPatience;
    while (!placed()) {
        if (scheduler_.now() > end) {
            return "the slots do not have all their copies after two minutes";
        }
        run(kLook);
    }
    for (Node* node : registry_.nodes(Role::session)) {
        clients_.push_back(std::make_unique<SessionClients>(*node));
    }
    return {};
}

bool ScaleRun::placed() const {
    const auto data = registry_.nodes(Role::data);
    std::size_t led = 0;
    std::size_t settled = 0;
    std::size_t synced = 0;
    for (Node* node : data) {
        const data::DataStatus status = node->data()->status();
        led += status.slots_led;
        settled += status.slots_settled;
        synced += status.slots_synced;
    }
    const std::size_t copies = std::min<std::size_t>(data.size(), kCopies);
    return led == kSlots && settled == kSlots && synced == kSlots * (copies - 1) &&
           std::ranges::all_of(registry_.nodes(Role::session),
                               [](Node* node) { return node->session()->status().ready; });
}

bool ScaleRun::held() const {
    const auto data = registry_.nodes(Role::data);
    std::uint64_t led = 0;
    std::uint64_t followed = 0;
    for (Node* node : data) {
        const data::DataStatus status = node->data()->status();
        led += status.publications;
        followed += status.publications_followed;
    }
    const std::uint64_t copies = std::min<std::uint64_t>(data.size(), kCopies);
    return led == published_ && followed == published_ * (copies - 1);
}

std::string ScaleRun::publish(std::uint64_t count) {
    const std::uint64_t end = published_ + count;
    while (published_ < end) {
        // Turn by turn, so that no message is as large as the whole load.
        const std::uint64_t turn = std::min(end - published_, kBatch * clients_.size());
        std::vector<std::vector<StateOf>> batches(clients_.size());
        for (std::uint64_t i = 0; i < turn; ++i, ++published_) {
            batches[published_ % clients_.size()].push_back({.publication = published_});
        }
        for (std::size_t i = 0; i < clients_.size(); ++i) {
            clients_[i]->publish(batches[i]);
        }
        run(milliseconds(50));
    }
    const MonoTime patience = scheduler_.now() + kPatience;
    while (!held() && scheduler_.now() < patience) {
        run(kLook);
    }
    return differs();
}

std::size_t ScaleRun::watcher_of(std::uint64_t service, int n) const {
    return (service * kWatching + static_cast<std::uint64_t>(n)) % clients_.size();
}

void ScaleRun::watch(std::uint64_t services) {
    for (const std::uint64_t end = watched_ + services; watched_ < end; ++watched_) {
        for (int n = 0; n < std::min<int>(kWatching, static_cast<int>(clients_.size())); ++n) {
            clients_[watcher_of(watched_, n)]->subscribe(watched_);
        }
    }
    states_.resize(watched_ * SessionClients::kPerService, 1);
    run(seconds(3));
}

TrafficReport ScaleRun::rest(Duration window) {
    run(kQuiet);
    traffic_.begin();
    run(window);
    return traffic_.end();
}

TrafficReport ScaleRun::change(std::uint64_t count, Duration window) {
    run(kQuiet);
    traffic_.begin();
    for (std::uint64_t i = 0; i < count; ++i) {
        // One of each service in turn, then another one.
        const std::uint64_t at = changed_++ % states_.size();
        const std::uint64_t number = at % watched_ * SessionClients::kPerService + at / watched_;
        const Duration pause =
            window * static_cast<std::int64_t>(i) / static_cast<std::int64_t>(count);
        scheduler_.after(pause, [this, number, state = ++states_[number]] {
            home_of(number).publish({{.publication = number, .state = state}});
        });
    }
    run(window);
    TrafficReport report = traffic_.end();
    run(seconds(1));
    return report;
}

std::string ScaleRun::differs() const {
    if (!held()) {
        return fmt::format("not every copy has the {} publications", published_);
    }
    for (std::uint64_t number = 0; number < states_.size(); ++number) {
        const std::uint64_t service = number / SessionClients::kPerService;
        for (int n = 0; n < std::min<int>(kWatching, static_cast<int>(clients_.size())); ++n) {
            const std::int64_t shown = clients_[watcher_of(service, n)]->shown(number);
            if (shown != states_[number]) {
                return fmt::format("publication {}: state {} is shown, {} was given", number, shown,
                                   states_[number]);
            }
        }
    }
    return {};
}

}  // namespace muster::sim
