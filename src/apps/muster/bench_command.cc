#include "apps/muster/bench_command.h"

#include <array>
#include <csignal>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "apps/load/machine.h"
#include "apps/load/metrics_text.h"
#include "apps/muster/bench/start.h"
#include "apps/muster/bench/works.h"
#include "apps/muster/bench_terminal.h"
#include "apps/muster/http_client.h"
#include "apps/muster/report.h"
#include "apps/muster/table.h"

namespace muster::cli {
namespace {

constexpr Duration kGreetingPatience = std::chrono::seconds(3);
constexpr Duration kMetricsPatience = std::chrono::seconds(2);

struct BenchOptions {
    std::string servers = "127.0.0.1:9600";
    std::string http;  // with commas; empty: 9603 of the server's host when that is at 9600
    std::string output = "table";
    std::string dialect = "native";

    [[nodiscard]] bench::Speech speech() const {
        return dialect == "java" ? bench::Speech::java : bench::Speech::native;
    }
};

// Where the metrics of the servers are; empty: not known.
std::string http_of(const BenchOptions& options) {
    constexpr std::string_view kClientPort = ":9600";
    if (!options.http.empty()) {
        return options.http;
    }
    std::string first = options.servers.substr(0, options.servers.find(','));
    if (!first.ends_with(kClientPort)) {
        return {};
    }
    return first.substr(0, first.size() - kClientPort.size()) + ":9603";
}

// Nothing when one of them does not tell.
std::optional<bench::ServerFigures> server_figures(std::string_view servers) {
    bench::ServerFigures sum;
    while (!servers.empty()) {
        const auto comma = servers.find(',');
        const auto answer =
            http_request("GET", servers.substr(0, comma), "/metrics", {}, kMetricsPatience);
        servers.remove_prefix(comma == std::string_view::npos ? servers.size() : comma + 1);
        if (!answer || answer->status != 200) {
            return std::nullopt;
        }
        const auto cpu = load::metric(answer->body, "process_cpu_seconds_total");
        const auto rss = load::metric(answer->body, "process_resident_memory_bytes");
        const auto started = load::metric(answer->body, "process_start_time_seconds");
        if (!cpu || !rss || !started) {
            return std::nullopt;
        }
        sum.started += *started;
        sum.cpu_seconds += *cpu;
        sum.rss_bytes += *rss;
        ++sum.processes;
    }
    return sum.processes > 0 ? std::optional(sum) : std::nullopt;
}

using Work = std::function<Result<void>(bench::Run&)>;

// The servers, all of which answered as a Muster does.
Result<std::vector<bench::Address>> greeted(const BenchOptions& options, bench::Report& told) {
    auto servers = bench::find_servers(options.servers);
    if (!servers) {
        return servers;
    }
    for (const bench::Address& server : *servers) {
        const auto greeting = bench::greet(server, options.speech(), kGreetingPatience);
        if (!greeting) {
            return std::unexpected(greeting.error());
        }
        told.same_host = told.same_host || greeting->same_host;
    }
    return servers;
}

void warn(const bench::Report& told, std::uint64_t connections) {
    std::fprintf(stderr,
                 "muster: this loads %s over %llu connections (%s), all under names that begin "
                 "with %s. Ctrl-C ends it; what it registered is taken back.\n",
                 printable(told.servers).c_str(), static_cast<unsigned long long>(connections),
                 bench::in_words(told.size).c_str(), told.run.c_str());
}

// The work between greeting and cleaning up; its figures go to `told`. An Error: there are none.
Result<void> drive(const BenchOptions& options, const bench::Demand& demand, const Work& work,
                   bench::Report& told) {
    MUSTER_TRY(bench::check_open_files(demand.connections, bench::raise_open_files()));
    auto servers = greeted(options, told);
    if (!servers) {
        return std::unexpected(servers.error());
    }
    catch_stops();
    Progress progress;
    const std::string http = http_of(options);
    bench::Run run(std::move(*servers), options.speech(), std::random_device{}(),
                   {.stop = [] { return stop_asked(); },
                    .progress = [&](const std::string& what) { progress.say(what); },
                    .server_figures = [&] { return server_figures(http); }},
                   told);
    warn(told, demand.connections);
    const auto outcome = work(run);
    run.clean();
    told.interrupted = run.stopped();
    if (!options.http.empty() && !told.server && told.notes.empty()) {
        told.notes.push_back("no metrics at " + options.http +
                             ": what the server took is not known");
    }
    return outcome || run.stopped() ? Result<void>{} : outcome;
}

int run_bench(const std::string& name, const BenchOptions& options,
              const Result<bench::Demand>& demand, const Work& work) {
    if (!demand) {
        return report(demand.error());
    }
    bench::Report told{.bench = name,
                       .run = {},
                       .servers = options.servers,
                       .machine = load::machine_name(),
                       .cores = load::cores(),
                       .size = demand->words};
    const auto outcome = drive(options, *demand, work, told);
    if (!outcome) {
        for (const std::string& note : told.notes) {
            std::fprintf(stderr, "note: %s\n", printable(note).c_str());
        }
        return report(outcome.error());
    }
    print_report(told, options.output);
    return bench::exit_status(told);
}

// A command of one work with the options they all have. `Size` is what it is run with.
template <typename Size>
class WorkCommand {
public:
    WorkCommand(CLI::App& bench, const char* name, const char* help, int& exit_status,
                Result<void> (*work)(bench::Run&, const Size&))
        : command_(*bench.add_subcommand(name, help)) {
        command_
            .add_option("-s,--server", options_->servers,
                        "Client ports of servers, host:port, with commas")
            ->envname("MUSTER_SERVERS")
            ->capture_default_str();
        command_.add_option("--http", options_->http,
                            "HTTP ports of all of the server's processes, with commas, for what "
                            "they take; by default 9603 beside 9600");
        command_.add_option("-o,--output", options_->output, "table or json")
            ->check(CLI::IsMember({"table", "json"}))
            ->capture_default_str();
        if constexpr (!std::is_same_v<Size, bench::SteadySize>) {  // whose clients are the SDK's
            command_
                .add_option("--dialect", options_->dialect,
                            "How clients speak: native, or java as those of SOFARegistry, "
                            "to it or to Muster")
                ->check(CLI::IsMember({"native", "java"}))
                ->capture_default_str();
        }
        command_.callback([name, work, options = options_, size = size_, &exit_status] {
            exit_status = run_bench(name, *options, bench::demand_of(*size),
                                    [&](bench::Run& run) { return work(run, *size); });
        });
    }

    template <typename Value>
    WorkCommand& option(const char* name, Value Size::* member, const char* help) {
        auto* added = command_.add_option(name, (*size_).*member, help)->capture_default_str();
        if constexpr (!std::is_same_v<Value, std::uint64_t>) {
            added->delimiter(',');
        }
        return *this;
    }

private:
    CLI::App& command_;
    std::shared_ptr<BenchOptions> options_ = std::make_shared<BenchOptions>();
    std::shared_ptr<Size> size_ = std::make_shared<Size>();
};

void add_capacity(CLI::App* command, int& exit_status) {
    WorkCommand<bench::CapacitySize>(
        *command, "capacity",
        "Memory of the servers for each connection, publication, subscription", exit_status,
        bench::run_capacity)
        .option("--connections", &bench::CapacitySize::connections, "Up to 20000")
        .option("--publications", &bench::CapacitySize::publications, "Up to 1000000")
        .option("--subscriptions", &bench::CapacitySize::subscriptions,
                "Up to 5000000, and as many as connections times services")
        .option("--services", &bench::CapacitySize::services,
                "That the publications are of, up to 100000")
        .option("--steps", &bench::CapacitySize::steps, "In which each is added, up to 100");
}

bool says_ready(std::uint16_t http_port) {
    const auto answer = http_request("GET", fmt::format("127.0.0.1:{}", http_port), "/health/ready",
                                     {}, kMetricsPatience);
    return answer && answer->status == 200;
}

int start_servers(const bench::StartSize& size, const std::string& output) {
    const auto demand = bench::demand_of(size);
    if (!demand) {
        return report(demand.error());
    }
    bench::Report told{.bench = "start",
                       .run = {},
                       .servers = "its own",
                       .machine = load::machine_name(),
                       .cores = load::cores(),
                       .size = demand->words};
    catch_stops();
    Progress progress;
    const auto outcome =
        bench::run_start(told, size,
                         {.stop = [] { return stop_asked(); },
                          .ready = says_ready,
                          .started =
                              [&](std::uint64_t count) {
                                  progress.say(fmt::format("started: {} of {}", count, size.runs));
                              }});
    progress.clear();
    if (!outcome) {
        return report(outcome.error());
    }
    print_report(told, output);
    return bench::exit_status(told);
}

// The only one that loads nothing that runs already.
void add_start(CLI::App* benches, int& exit_status) {
    auto* command = benches->add_subcommand(
        "start", "Start servers of this program, one after the other: time to ready, memory, size");
    auto size = std::make_shared<bench::StartSize>();
    auto output = std::make_shared<std::string>("table");
    command->add_option("--runs", size->runs, "How many, up to 1000")->capture_default_str();
    command
        ->add_option("--client-port", size->client_port,
                     "Their client port on 127.0.0.1; 0: any free one")
        ->capture_default_str();
    command
        ->add_option("--http-port", size->http_port,
                     "Their HTTP port on 127.0.0.1; 0: any free one")
        ->capture_default_str();
    command->add_option("-o,--output", *output, "table or json")
        ->check(CLI::IsMember({"table", "json"}))
        ->capture_default_str();
    command->callback(
        [size, output, &exit_status] { exit_status = start_servers(*size, *output); });
}

// Works in which clients or servers come and go.
void add_comings_and_goings(CLI::App* command, int& exit_status) {
    WorkCommand<bench::DisconnectSize>(
        *command, "disconnect", "How long until subscribers know of clients that are cut off",
        exit_status, bench::run_disconnect)
        .option("--clients", &bench::DisconnectSize::clients, "Clients that publish, up to 20000")
        .option("--services", &bench::DisconnectSize::services, "What they publish, in turn")
        .option("--subscribers", &bench::DisconnectSize::subscribers,
                "Clients, each of all services")
        .option("--share", &bench::DisconnectSize::share,
                "Percent of the clients that are cut off at once; over 10 the server's brake "
                "holds them, and what else ends meanwhile")
        .option("--seconds", &bench::DisconnectSize::seconds,
                "How long to wait until all know, up to 600");
    WorkCommand<bench::RollingSize>(*command, "rolling",
                                    "What restarting a service costs each subscriber in bytes",
                                    exit_status, bench::run_rolling)
        .option("--instances", &bench::RollingSize::instances, "Of the service")
        .option("--subscribers", &bench::RollingSize::subscribers, "Of the service, up to 20000")
        .option("--step", &bench::RollingSize::step, "Instances that are away at a time");
    WorkCommand<bench::StormSize>(*command, "storm",
                                  "How long until clients that all come at once are served",
                                  exit_status, bench::run_storm)
        .option("--clients", &bench::StormSize::clients,
                "Each registers and subscribes, up to 20000")
        .option("--services", &bench::StormSize::services, "What they publish, in turn");
    WorkCommand<bench::SteadySize>(*command, "steady",
                                   "What subscribers see while you restart, pause or cut off "
                                   "servers",
                                   exit_status, bench::run_steady)
        .option("--clients", &bench::SteadySize::clients, "Clients that publish, up to 64")
        .option("--services", &bench::SteadySize::services, "Up to 1000")
        .option("--instances", &bench::SteadySize::instances,
                "Of each service, up to 1000, and 20000 together")
        .option("--subscribers", &bench::SteadySize::subscribers,
                "Clients, each of all services, up to 64")
        .option("--rate", &bench::SteadySize::rate, "Changes a second of all together, up to 1000")
        .option("--seconds", &bench::SteadySize::seconds, "For so long, up to 3600");
}

}  // namespace

void add_bench(CLI::App& app, int& exit_status) {
    auto* command =
        app.add_subcommand("bench", "Measure a running registry from here, under names of its own");
    command->require_subcommand(1);
    command->footer(
        "Each loads the server until it is done, and takes back what it registered; start only\n"
        "starts servers of its own.\n"
        "Exit status: 0 as it should be, 1 not reached or refused, 2 wrong usage, 3 interrupted, "
        "or\nsomething was not told in time, falsely removed, or shown in an older state, or views "
        "differ.");
    WorkCommand<bench::PropagationSize>(*command, "propagation",
                                        "How long changes take to each and to the last subscriber",
                                        exit_status, bench::run_propagation)
        .option("--publishers", &bench::PropagationSize::publishers,
                "Clients that publish, up to 1000")
        .option("--subscribers", &bench::PropagationSize::subscribers,
                "Clients that are told, up to 20000")
        .option("--rate", &bench::PropagationSize::rate,
                "Changes a second of all together, up to 5000")
        .option("--seconds", &bench::PropagationSize::seconds, "For so long, up to 600");
    WorkCommand<bench::RegistrationsSize>(
        *command, "registrations", "Register, ask for and deregister many, with subscribers told",
        exit_status, bench::run_registrations)
        .option("--clients", &bench::RegistrationsSize::clients,
                "Clients that register, up to 20000")
        .option("--services", &bench::RegistrationsSize::services, "Up to 100000")
        .option("--instances", &bench::RegistrationsSize::instances,
                "Of all services together, up to 1000000")
        .option("--batch", &bench::RegistrationsSize::batch,
                "Instances in one request, up to 10000")
        .option("--subscribers", &bench::RegistrationsSize::subscribers,
                "Clients that share every tenth service; 0: nobody is told");
    WorkCommand<bench::OperationsSize>(
        *command, "operations",
        "Rates of register, query, change and deregister, and their times at half of these",
        exit_status, bench::run_operations)
        .option("--clients", &bench::OperationsSize::clients, "Clients that do them, up to 20000")
        .option("--services", &bench::OperationsSize::services, "Up to 100000")
        .option("--instances", &bench::OperationsSize::instances,
                "Of all services together, up to 1000000; each is done so often")
        .option("--subscribers", &bench::OperationsSize::subscribers,
                "Clients that share every tenth service")
        .option("--seconds", &bench::OperationsSize::seconds,
                "Queries and changes end after so long, up to 600");
    WorkCommand<bench::FanoutSize>(*command, "fanout",
                                   "How long one change takes to more and more subscribers",
                                   exit_status, bench::run_fanout)
        .option("--subscribers", &bench::FanoutSize::subscribers,
                "Numbers of them, with commas, each below 20000")
        .option("--instances", &bench::FanoutSize::instances, "In the list, up to 10000")
        .option("--changes", &bench::FanoutSize::changes, "At each number, up to 10000");
    add_capacity(command, exit_status);
    add_comings_and_goings(command, exit_status);
    add_start(command, exit_status);
}

}  // namespace muster::cli
