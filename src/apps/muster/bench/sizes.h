#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace muster::cli::bench {

// Below what a process may usually open (20,000 files) and below the ports that one address has for
// connections to one other.
inline constexpr std::uint64_t kConnectionsMax = 20'000;
inline constexpr std::uint64_t kServicesMax = 100'000;
inline constexpr std::uint64_t kInstancesMax = 1'000'000;
inline constexpr std::uint64_t kSubscriptionsMax = 5'000'000;
inline constexpr std::uint64_t kStepsMax = 100;
inline constexpr std::uint64_t kSecondsMax = 600;
inline constexpr std::uint64_t kPerSecondMax = 5000;  // what a session takes of one client
inline constexpr std::uint64_t kBatchMax = 10'000;
inline constexpr std::uint64_t kThreadedMax = 64;  // clients that have a thread each
inline constexpr std::uint64_t kChangesMax = 10'000;
inline constexpr std::uint64_t kSteadyInstancesMax = 20'000;  // of all services
// What all subscribers together hold, and are shown when they come: memory of both sides.
inline constexpr std::uint64_t kShownMax = 20'000'000;

// How large each work is. The defaults take a laptop some seconds.

struct PropagationSize {
    std::uint64_t publishers = 1;
    std::uint64_t subscribers = 100;
    std::uint64_t rate = 100;  // changes a second, of all publishers together
    std::uint64_t seconds = 10;
};

struct RegistrationsSize {
    std::uint64_t clients = 50;
    std::uint64_t services = 1000;
    std::uint64_t instances = 10'000;  // of all services together
    std::uint64_t batch = 100;
    std::uint64_t subscribers = 10;  // clients, which share every tenth service; 0: no pushes
};

struct OperationsSize {
    std::uint64_t clients = 50;
    std::uint64_t services = 1000;
    std::uint64_t instances = 10'000;  // of all services together; so often each operation
    std::uint64_t subscribers = 10;    // clients, which share every tenth service
    std::uint64_t seconds = 10;        // queries and changes end then if there are more
};

struct FanoutSize {
    std::vector<std::uint64_t> subscribers{10, 100, 1000};
    std::uint64_t instances = 10;
    std::uint64_t changes = 50;  // at each number of subscribers
};

struct CapacitySize {
    std::uint64_t connections = 1000;
    std::uint64_t publications = 50'000;
    std::uint64_t subscriptions = 50'000;
    std::uint64_t services = 1000;
    std::uint64_t steps = 5;  // of each of the three
};

struct DisconnectSize {
    std::uint64_t clients = 200;
    std::uint64_t services = 10;
    std::uint64_t subscribers = 10;
    std::uint64_t share = 10;    // percent of the clients, whose connections close at once
    std::uint64_t seconds = 90;  // until what is still shown counts as not told
};

struct RollingSize {
    std::uint64_t instances = 100;
    std::uint64_t subscribers = 50;
    std::uint64_t step = 1;  // instances that are away at a time
};

struct StormSize {
    std::uint64_t clients = 500;
    std::uint64_t services = 50;
};

struct SteadySize {
    std::uint64_t clients = 4;  // that publish
    std::uint64_t services = 20;
    std::uint64_t instances = 1;    // of each service
    std::uint64_t subscribers = 4;  // clients, each of all services
    std::uint64_t rate = 20;        // changes a second, of all together
    std::uint64_t seconds = 60;
};

struct StartSize {
    std::uint64_t runs = 20;
    std::uint64_t client_port = 0;  // zero: any free one
    std::uint64_t http_port = 0;
};

// What stands in the report: option and value.
using SizeWords = std::vector<std::pair<std::string, std::string>>;

// What a work needs, once its size is found to be one that can be run.
struct Demand {
    std::uint64_t connections = 0;  // at a time
    SizeWords words;
};

// Errors of all: invalid_argument, in a sentence that names the option and what it may be.
[[nodiscard]] Result<Demand> demand_of(const PropagationSize& size);
[[nodiscard]] Result<Demand> demand_of(const RegistrationsSize& size);
[[nodiscard]] Result<Demand> demand_of(const OperationsSize& size);
[[nodiscard]] Result<Demand> demand_of(const FanoutSize& size);
[[nodiscard]] Result<Demand> demand_of(const CapacitySize& size);
[[nodiscard]] Result<Demand> demand_of(const DisconnectSize& size);
[[nodiscard]] Result<Demand> demand_of(const RollingSize& size);
[[nodiscard]] Result<Demand> demand_of(const StormSize& size);
[[nodiscard]] Result<Demand> demand_of(const SteadySize& size);
[[nodiscard]] Result<Demand> demand_of(const StartSize& size);

// Errors: invalid_argument when a process that may have so many files open cannot have the
// connections.
[[nodiscard]] Result<void> check_open_files(std::uint64_t connections, std::uint64_t files_max);

// Raises this process's limit of open files as far as it may; what it is then.
[[nodiscard]] std::uint64_t raise_open_files();

}  // namespace muster::cli::bench
