#include "apps/muster/bench/sizes.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>

namespace muster::cli::bench {
namespace {

// Files of a process that are no connections of the load: its own, and some to spare.
constexpr std::uint64_t kOtherFiles = 64;

struct Option {
    const char* name;
    std::uint64_t value;
    std::uint64_t least;
    std::uint64_t most;
};

Result<void> check(const Option& option) {
    if (option.value < option.least || option.value > option.most) {
        return fail(Errc::invalid_argument, fmt::format("{} is {} to {}, not {}", option.name,
                                                        option.least, option.most, option.value));
    }
    return {};
}

Result<void> check_one_each(std::uint64_t clients, std::uint64_t services) {
    if (clients < services) {
        return fail(Errc::invalid_argument,
                    fmt::format("--clients {} are fewer than one for each of --services {}",
                                clients, services));
    }
    return {};
}

Result<void> check_one_in_each(std::uint64_t instances, std::uint64_t services) {
    if (instances < services) {
        return fail(Errc::invalid_argument,
                    fmt::format("--instances {} are fewer than one for each of --services {}",
                                instances, services));
    }
    return {};
}

// Checks each option, then what they come to.
Result<Demand> demand(const std::vector<Option>& options, std::uint64_t connections,
                      std::uint64_t shown) {
    Demand made{.connections = connections};
    for (const Option& option : options) {
        MUSTER_TRY(check(option));
        made.words.emplace_back(std::string(option.name).substr(2), std::to_string(option.value));
    }
    if (connections > kConnectionsMax) {
        return fail(Errc::invalid_argument,
                    fmt::format("these are {} connections, and a bench opens at most {}: take "
                                "fewer clients, instances or subscribers",
                                connections, kConnectionsMax));
    }
    if (shown > kShownMax) {
        return fail(Errc::invalid_argument,
                    fmt::format("the subscribers would hold {} entries together, and a bench has "
                                "them hold at most {}: take fewer subscribers or instances",
                                shown, kShownMax));
    }
    return made;
}

}  // namespace

Result<Demand> demand_of(const PropagationSize& size) {
    return demand({{"--publishers", size.publishers, 1, 1000},
                   {"--subscribers", size.subscribers, 1, kConnectionsMax},
                   {"--rate", size.rate, 1, kPerSecondMax},
                   {"--seconds", size.seconds, 1, kSecondsMax}},
                  size.publishers + size.subscribers, size.publishers * size.subscribers);
}

Result<Demand> demand_of(const RegistrationsSize& size) {
    MUSTER_TRY(check_one_in_each(size.instances, size.services));
    return demand({{"--clients", size.clients, 1, kConnectionsMax},
                   {"--services", size.services, 1, kServicesMax},
                   {"--instances", size.instances, 1, kInstancesMax},
                   {"--batch", size.batch, 1, kBatchMax},
                   {"--subscribers", size.subscribers, 0, kConnectionsMax}},
                  size.clients + size.subscribers, 0);
}

// A client that asks holds one service's list at a time, or as many as it waits for.
Result<Demand> demand_of(const OperationsSize& size) {
    MUSTER_TRY(check_one_in_each(size.instances, size.services));
    const std::uint64_t services = std::max<std::uint64_t>(size.services, 1);
    return demand({{"--clients", size.clients, 1, kConnectionsMax},
                   {"--services", size.services, 1, kServicesMax},
                   {"--instances", size.instances, 1, kInstancesMax},
                   {"--subscribers", size.subscribers, 1, kConnectionsMax},
                   {"--seconds", size.seconds, 1, kSecondsMax}},
                  size.clients + size.subscribers,
                  size.clients * ((size.instances + services - 1) / services) + size.instances);
}

Result<Demand> demand_of(const FanoutSize& size) {
    if (size.subscribers.empty()) {
        return fail(Errc::invalid_argument, "--subscribers takes numbers with commas: 10,100,1000");
    }
    for (const std::uint64_t number : size.subscribers) {
        MUSTER_TRY(check({"--subscribers", number, 1, kConnectionsMax - 1}));
    }
    const std::uint64_t most = std::ranges::max(size.subscribers);
    auto made = demand({{"--instances", size.instances, 1, kBatchMax},
                        {"--changes", size.changes, 1, kChangesMax}},
                       most + 1, most * size.instances);
    if (made) {
        made->words.emplace(made->words.begin(), "subscribers",
                            fmt::format("{}", fmt::join(size.subscribers, ",")));
    }
    return made;
}

Result<Demand> demand_of(const CapacitySize& size) {
    const std::uint64_t services = std::max<std::uint64_t>(size.services, 1);
    auto made = demand({{"--connections", size.connections, 1, kConnectionsMax},
                        {"--publications", size.publications, 1, kInstancesMax},
                        {"--subscriptions", size.subscriptions, 1, kSubscriptionsMax},
                        {"--services", size.services, 1, kServicesMax},
                        {"--steps", size.steps, 1, kStepsMax}},
                       size.connections,
                       size.subscriptions * ((size.publications + services - 1) / services));
    if (!made) {
        return made;
    }
    if (size.publications < size.services) {
        return fail(Errc::invalid_argument,
                    fmt::format("--publications {} are fewer than one for each of --services {}",
                                size.publications, size.services));
    }
    if (size.subscriptions > size.connections * size.services) {
        return fail(Errc::invalid_argument,
                    fmt::format("{} connections can subscribe to {} services {} times, not {}: "
                                "take more --connections or --services",
                                size.connections, size.services, size.connections * size.services,
                                size.subscriptions));
    }
    return made;
}

Result<Demand> demand_of(const DisconnectSize& size) {
    MUSTER_TRY(check_one_each(size.clients, size.services));
    return demand({{"--clients", size.clients, 1, kConnectionsMax},
                   {"--services", size.services, 1, kServicesMax},
                   {"--subscribers", size.subscribers, 1, kConnectionsMax},
                   {"--share", size.share, 1, 100},
                   {"--seconds", size.seconds, 1, kSecondsMax}},
                  size.clients + size.subscribers, size.clients * size.subscribers);
}

Result<Demand> demand_of(const RollingSize& size) {
    auto made =
        demand({{"--instances", size.instances, 1, kConnectionsMax},
                {"--subscribers", size.subscribers, 1, kConnectionsMax},
                {"--step", size.step, 1, kConnectionsMax}},
               size.instances + size.subscribers + 1, 2 * size.instances * (size.subscribers + 1));
    if (made && size.step > size.instances) {
        return fail(Errc::invalid_argument, fmt::format("--step {} is more than the {} instances",
                                                        size.step, size.instances));
    }
    return made;
}

Result<Demand> demand_of(const StormSize& size) {
    MUSTER_TRY(check_one_each(size.clients, size.services));
    const std::uint64_t services = std::max<std::uint64_t>(size.services, 1);
    return demand({{"--clients", size.clients, 1, kConnectionsMax},
                   {"--services", size.services, 1, kServicesMax}},
                  size.clients, size.clients * ((size.clients + services - 1) / services));
}

Result<Demand> demand_of(const SteadySize& size) {
    if (size.services <= 1000 && size.instances <= 1000 &&
        size.services * size.instances > kSteadyInstancesMax) {
        return fail(Errc::invalid_argument,
                    fmt::format("--services {} of --instances {} each are {} instances, and "
                                "steady takes at most {}",
                                size.services, size.instances, size.services * size.instances,
                                kSteadyInstancesMax));
    }
    return demand({{"--clients", size.clients, 1, kThreadedMax},
                   {"--services", size.services, 1, 1000},
                   {"--instances", size.instances, 1, 1000},
                   {"--subscribers", size.subscribers, 1, kThreadedMax},
                   {"--rate", size.rate, 1, 1000},
                   {"--seconds", size.seconds, 1, 3600}},
                  size.clients + size.subscribers,
                  size.services * size.instances * size.subscribers);
}

Result<Demand> demand_of(const StartSize& size) {
    if (size.client_port != 0 && size.client_port == size.http_port) {
        return fail(Errc::invalid_argument,
                    fmt::format("--client-port and --http-port are both {}", size.http_port));
    }
    return demand({{"--runs", size.runs, 1, 1000},
                   {"--client-port", size.client_port, 0, UINT16_MAX},
                   {"--http-port", size.http_port, 0, UINT16_MAX}},
                  0, 0);
}

Result<void> check_open_files(std::uint64_t connections, std::uint64_t files_max) {
    if (connections + kOtherFiles > files_max) {
        return fail(Errc::invalid_argument,
                    fmt::format("{} connections take as many open files, and this process may have "
                                "{} open: take fewer, or raise the limit (ulimit -n {}); a server "
                                "on this machine needs as many",
                                connections, files_max, connections + kOtherFiles));
    }
    return {};
}

std::uint64_t raise_open_files() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return kConnectionsMax;
    }
    if (limit.rlim_cur < limit.rlim_max) {
        const rlimit raised{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
        if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) {
            return limit.rlim_max;
        }
    }
    return limit.rlim_cur;
}

}  // namespace muster::cli::bench
