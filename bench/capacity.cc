#include "capacity.h"

#include <algorithm>
#include <ctime>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cluster.h"
#include "coefficients.h"
#include "memory_budget.h"
#include "sim/scale/scale_run.h"
#include "sockets.h"

namespace muster::bench {
namespace {

using std::chrono::seconds;

constexpr double kTarget = 10'000'000;  // publications
constexpr double kCopies = Cluster::kSlots * Cluster::kCopiesMax;
constexpr double kPerClient = 10;  // publications, and subscriptions, of one client
constexpr double kPerService = sim::SessionClients::kPerService;
// Every node names all of its copies once in that time (meta::MetaOptions::copies_refresh).
constexpr seconds kWindow(10);
// What the simulation of one publication, with all its copies, takes at most (measured below).
constexpr std::uint64_t kPublicationBytesMax = 4096;
constexpr std::uint64_t kNeeded = std::uint64_t{2} << 30U;
constexpr std::uint64_t kWanted = std::uint64_t{12} << 30U;

std::string name(const sim::ScaleSize& size) {
    return fmt::format("{}x{}", size.sessions, size.data);
}

// What one simulated size said.
struct Simulated {
    sim::TrafficReport rest;
    double change_bytes = 0;
    double change_frames = 0;
    std::uint64_t publications = 0;
};

class Capacity {
public:
    Capacity(Report& report, const Effort& effort)
        : report_(report), effort_(effort), budget_(kWanted, effort.judge ? kNeeded : 0) {}

    void run() {
        const auto& sizes = effort_.simulated_sizes;
        std::vector<Simulated> simulated;
        for (const sim::ScaleSize& size : sizes) {
            simulated.push_back(simulate(size));
        }
        if (sizes.size() > 1) {
            say("simulated", "change_bytes_large_over_small", "x",
                simulated.back().change_bytes / simulated.front().change_bytes, 1.2);
            say("simulated", "change_frames_large_over_small", "x",
                simulated.back().change_frames / simulated.front().change_frames, 1.2);
        }
        found_ = measure_coefficients(effort_);
        tell_coefficients();
        compare_with_real();
        tell_needs(sizes.back(), simulated.back());
    }

private:
    void say(const std::string& bench, const std::string& metric, const std::string& unit,
             double value, std::optional<double> limit = std::nullopt) {
        std::optional<Bound> bound;
        if (limit && effort_.judge) {
            bound = Bound{Bound::Kind::at_most, *limit};
        }
        report_.add(
            {.bench = bench, .metric = metric, .unit = unit, .value = value, .bound = bound});
    }

    void tell_coefficients() {
        const auto bytes = [&](const std::string& what, double value) {
            say("measured", what, "B", value);
        };
        const auto micros = [&](const std::string& what, double value) {
            say("measured", what, "us", value);
        };
        bytes("meta_process", found_.meta_base);
        bytes("data_process", found_.data_base);
        bytes("session_process", found_.session_base);
        bytes("publication_at_leader", found_.leader_publication);
        bytes("publication_at_follower", found_.follower_publication);
        bytes("publication_at_session", found_.session_publication);
        bytes("slot_log", found_.slot_log);
        bytes("connection", found_.connection);
        bytes("watched_service_at_session", found_.watched_service);
        bytes("watched_publication_at_session", found_.watched_publication);
        bytes("subscription_of_watched_service", found_.subscription);
        bytes("interest_at_leader", found_.interest);
        micros("change_at_publishing_session", found_.publisher_cpu);
        micros("change_at_leader", found_.leader_cpu);
        micros("change_for_each_follower", found_.follower_cpu);
        micros("change_at_subscribing_session", found_.subscriber_cpu);
        micros("frame_at_rest", found_.frame_cpu);
        bytes("change_on_links", found_.change_bytes);
        say("measured", "headers_of_tcp_ip_at_rest", "B/B", found_.headers_per_byte);
    }

    // The simulator counts what real links count: the same small cluster, both ways.
    void compare_with_real() {
        sim::ScaleRun run({.metas = 1, .data = 2, .sessions = 2});
        must(run.start());
        const auto rest = run.rest(seconds(20));
        const double simulated = per_second(rest, static_cast<double>(rest.all.bytes));
        say("simulated_as_measured", "rest_traffic_real", "kB/s", found_.rest_bytes_per_s / 1000);
        say("simulated_as_measured", "rest_traffic_simulated", "kB/s", simulated / 1000);
        say("simulated_as_measured", "rest_frames_real", "1/s", found_.rest_frames_per_s);
        say("simulated_as_measured", "rest_frames_simulated", "1/s",
            per_second(rest, static_cast<double>(rest.all.messages)));
    }

    static void must(const std::string& complaint) {
        if (!complaint.empty()) {
            die("the simulated cluster: " + complaint);
        }
    }

    static double per_second(const sim::TrafficReport& report, double what) {
        return what / (static_cast<double>(report.window.count()) / 1e9);
    }

    // Few publications, then ten times as many; at full size then as many as the budget holds.
    Simulated simulate(const sim::ScaleSize& size) {
        const std::string bench = "simulated_" + name(size);
        const double begin_cpu = cpu_seconds();
        const bool full = size == effort_.simulated_sizes.back();
        auto run = std::make_unique<sim::ScaleRun>(size);
        must(run->start());
        const std::uint64_t few =
            std::min<std::uint64_t>(20'000, effort_.simulated_publications_max / 10);
        must(run->publish(few));
        const auto rest_of_few = run->rest(kWindow);
        const std::uint64_t before = MemoryBudget::used();
        must(run->publish(few * 9));
        const double each =
            static_cast<double>(MemoryBudget::used() - before) / static_cast<double>(few * 9);
        Simulated result{.rest = run->rest(kWindow), .publications = run->publications()};
        run->watch(few / 10);
        if (full) {
            fill(*run, each);
            result.rest = run->rest(kWindow);
            result.publications = run->publications();
        }
        const double changes = 40.0 * size.data * kWindow.count();
        const auto still = run->rest(kWindow);
        const auto busy = run->change(static_cast<std::uint64_t>(changes), kWindow);
        must(run->differs());
        result.change_bytes =
            (static_cast<double>(busy.all.bytes) - static_cast<double>(still.all.bytes)) / changes;
        result.change_frames =
            (static_cast<double>(busy.all.messages) - static_cast<double>(still.all.messages)) /
            changes;
        tell(bench, result, rest_of_few);
        say(bench, "took_cpu", "s", cpu_seconds() - begin_cpu);
        return result;
    }

    // Of this process.
    static double cpu_seconds() {
        return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
    }

    void fill(sim::ScaleRun& run, double each) {
        const double room =
            static_cast<double>(budget_.bytes()) - static_cast<double>(MemoryBudget::used());
        const double cautious = std::min(each * 1.15, static_cast<double>(kPublicationBytesMax));
        const auto fits = static_cast<std::uint64_t>(std::max(0.0, room / cautious));
        const std::uint64_t wanted = effort_.simulated_publications_max;
        const std::uint64_t target = std::min(wanted, run.publications() + fits);
        // In steps, looking at what it took.
        const double cpu_end = cpu_seconds() + effort_.simulated_cpu_s_max;
        while (run.publications() < target && MemoryBudget::used() < budget_.bytes() &&
               cpu_seconds() < cpu_end) {
            must(run.publish(std::min<std::uint64_t>(300'000, target - run.publications())));
        }
    }

    void tell(const std::string& bench, const Simulated& result,
              const sim::TrafficReport& rest_of_few) {
        const auto& rest = result.rest;
        const double traffic = per_second(rest, static_cast<double>(rest.all.bytes));
        const double of_few = per_second(rest_of_few, static_cast<double>(rest_of_few.all.bytes));
        say(bench, "publications", "", static_cast<double>(result.publications));
        say(bench, "memory_of_this_process", "MB", static_cast<double>(MemoryBudget::used()) / 1e6);
        say(bench, "links", "", static_cast<double>(rest.links));
        say(bench, "rest_traffic", "kB/s", traffic / 1000);
        say(bench, "rest_traffic_over_that_of_few", "x", traffic / of_few, 1.05);
        say(bench, "rest_traffic_per_link", "B/s", traffic / static_cast<double>(rest.links));
        say(bench, "rest_frames", "1/s", per_second(rest, static_cast<double>(rest.all.messages)));
        for (const auto& [kind, flow] : rest.by_kind) {
            say(bench, "rest_" + kind, "kB/s",
                per_second(rest, static_cast<double>(flow.bytes)) / 1000);
        }
        for (const std::string role : {"meta", "data", "session"}) {
            const auto busiest = busiest_of(rest, role);
            say(bench, "rest_at_busiest_" + role, "kB/s",
                per_second(rest, static_cast<double>(busiest.bytes)) / 1000);
            say(bench, "rest_frames_at_busiest_" + role, "1/s",
                per_second(rest, static_cast<double>(busiest.messages)));
        }
        say(bench, "change_bytes", "B", result.change_bytes);
        say(bench, "change_frames", "", result.change_frames);
    }

    // Sent and received by the node of a role that has most of it.
    static sim::Flow busiest_of(const sim::TrafficReport& report, const std::string& role) {
        sim::Flow most;
        for (const auto& [node, line] : report.by_node) {
            sim::Flow both = line.sent;
            both += line.received;
            if (node.starts_with(role) && both.bytes > most.bytes) {
                most = both;
            }
        }
        return most;
    }

    // Worked out: what each node of the full size takes with ten million publications of a million
    // clients, each of which also subscribes to ten services that nobody else near it watches.
    void tell_needs(const sim::ScaleSize& size, const Simulated& simulated) {
        const std::string bench = "needs_" + name(size);
        const double clients = kTarget / kPerClient;
        const double per_data = kTarget / size.data;
        const double per_session = kTarget / size.sessions;
        const double subscriptions = clients * kPerClient / size.sessions;
        const double watched = found_.watched_service + kPerService * found_.watched_publication;
        const double data =
            found_.data_base + kCopies / size.data * found_.slot_log +
            per_data * (found_.leader_publication + 2 * found_.follower_publication) +
            clients * kPerClient / size.data * found_.interest;
        const double session = found_.session_base + per_session * found_.session_publication +
                               clients / size.sessions * found_.connection +
                               subscriptions * watched;
        say(bench, "publications", "", kTarget);
        say(bench, "clients", "", clients);
        say(bench, "memory_of_data_server", "GB", data / 1e9);
        say(bench, "memory_of_session", "GB", session / 1e9);
        for (const std::string role : {"meta", "data", "session"}) {
            const auto busiest = busiest_of(simulated.rest, role);
            const double bytes = per_second(simulated.rest, static_cast<double>(busiest.bytes));
            const double frames = per_second(simulated.rest, static_cast<double>(busiest.messages));
            say(bench, "rest_network_of_" + role + "_with_tcp_ip", "kB/s",
                bytes * (1 + found_.headers_per_byte) / 1000);
            say(bench, "rest_cpu_of_" + role, "% of a core", frames / 2 * found_.frame_cpu / 1e4);
        }
        const double cpu = found_.publisher_cpu + found_.leader_cpu + 2 * found_.follower_cpu +
                           sim::ScaleRun::kWatching * found_.subscriber_cpu;
        say(bench, "cpu_of_a_change_in_all", "us", cpu);
        say(bench, "network_of_a_change_in_all", "B", simulated.change_bytes);
    }

    Report& report_;
    Effort effort_;
    MemoryBudget budget_;
    Coefficients found_;
};

}  // namespace

void run_capacity(Report& report, const Effort& effort) {
    Capacity(report, effort).run();
}

}  // namespace muster::bench
