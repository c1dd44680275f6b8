#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "cluster.h"
#include "coefficients.h"
#include "idle_clients.h"
#include "push.h"
#include "watcher.h"

namespace muster::bench {
namespace {

constexpr std::size_t kQuarters = 4;
constexpr std::size_t kPerService = 10;
constexpr std::size_t kWatchers = 20;  // of every service: two subscriptions for each publication
constexpr std::size_t kSlice = 1000;   // services one watcher subscribes before the next one does

double rss_of_all(Cluster& cluster) {
    double sum = 0;
    for (const std::string role : {"meta", "data", "session"}) {
        for (const Node* node : cluster.of(role)) {
            sum += static_cast<double>(node->process->rss_bytes());
        }
    }
    return sum;
}

}  // namespace

void run_memory(Report& report, const Effort& effort) {
    const Coefficients found = measure_memory(effort);
    const auto say = [&](const std::string& metric, double value, double limit) {
        report.add({.bench = "memory",
                    .metric = metric,
                    .unit = "B",
                    .value = value,
                    .bound = effort.judge ? std::optional(Bound{Bound::Kind::at_most, limit})
                                          : std::nullopt});
    };
    say("publication_at_leader", found.leader_publication, 400);
    say("publication_at_follower", found.follower_publication, 400);
    say("subscription_of_watched_service", found.subscription, 200);
    say("connection", found.connection, 6.0 * 1024);
    report.add({.bench = "memory", .metric = "slot_log", .unit = "B", .value = found.slot_log});
}

void run_million(Report& report, const Effort& effort) {
    Cluster cluster({.metas = 1, .data = 2, .sessions = 2});
    const auto sessions = cluster.of("session");
    IdleClients providers;
    providers.connect(sessions, 200);
    std::vector<std::unique_ptr<Watcher>> watchers;
    for (std::size_t i = 0; i < kWatchers; ++i) {
        watchers.push_back(std::make_unique<Watcher>(sessions[i % sessions.size()]->client_port));
    }
    const std::string bench = fmt::format("publications_{}", effort.many_publications);
    const auto say = [&](const std::string& metric, const std::string& unit, double value) {
        report.add({.bench = bench, .metric = metric, .unit = unit, .value = value});
    };
    const std::size_t quarter = effort.many_publications / kQuarters;
    const std::size_t services = quarter / kPerService;
    double last = rss_of_all(cluster);
    say("memory_empty", "MB", last / 1e6);
    std::vector<double> steps;
    for (std::size_t q = 0; q < kQuarters; ++q) {
        const Duration begin = now();
        providers.publish(quarter, kPerService);
        const Duration published = now();
        for (std::size_t from = 0; from < services; from += kSlice) {
            std::vector<Service> slice;
            for (std::size_t i = from; i < std::min(from + kSlice, services); ++i) {
                slice.push_back(
                    {.data_id = IdleClients::service(q * quarter + i * kPerService, kPerService)});
            }
            for (auto& watcher : watchers) {
                watcher->subscribe(slice);
            }
        }
        const Duration watched = now();
        ::usleep(2'000'000);
        const double rss = rss_of_all(cluster);
        steps.push_back(rss - last);
        last = rss;
        say(fmt::format("memory_of_{}_and_{}_subscriptions", (q + 1) * quarter,
                        (q + 1) * services * kWatchers),
            "MB", rss / 1e6);
        say(fmt::format("publishing_{}", quarter), "s",
            static_cast<double>((published - begin).count()) / 1e9);
        say(fmt::format("subscribing_{}", services * kWatchers), "s",
            static_cast<double>((watched - published).count()) / 1e9);
    }
    // The first one fills the change logs of the slots, which grow no more.
    const auto [least, most] = std::ranges::minmax(std::vector(steps.begin() + 1, steps.end()));
    report.add(
        {.bench = bench,
         .metric = "largest_step_of_memory_over_smallest",
         .unit = "x",
         .value = most / least,
         .bound = effort.judge ? std::optional(Bound{Bound::Kind::at_most, 1.25}) : std::nullopt});
}

}  // namespace muster::bench
