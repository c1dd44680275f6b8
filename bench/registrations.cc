#include <memory>

#include "base/check.h"
#include "client_frames.h"
#include "server_process.h"
#include "sockets.h"
#include "standalone.h"

namespace muster::bench {
namespace {

constexpr std::size_t kConnections = 50;
constexpr std::size_t kBatch = 500;
constexpr std::size_t kPerService = 10;

// What the generator sends, made ahead: what is timed is the server.
struct Load {
    std::vector<std::unique_ptr<Connection>> connections;
    std::vector<std::vector<std::string>> frames{kConnections};
    std::size_t publications = 0;
    std::uint64_t bytes = 0;
};

Load make_load(std::uint16_t port, std::size_t publications) {
    Load load;
    const std::size_t per_connection = publications / kConnections;
    for (std::size_t c = 0; c < kConnections; ++c) {
        load.connections.push_back(std::make_unique<Connection>(port));
        for (std::size_t done = 0; done < per_connection; done += kBatch) {
            msg::RegisterPublishers request{.request = msg::RequestId(done + 1)};
            for (std::size_t i = 0; i < std::min(kBatch, per_connection - done); ++i) {
                const std::size_t number = load.publications++;
                const Service service{.data_id = "com.example.bench.Service" +
                                                 std::to_string(number / kPerService)};
                request.publications.push_back(
                    publication(service, "6fa459ea-ee8a-3ca4-894e-" + std::to_string(number), 1,
                                "10.1." + std::to_string(number / 250 % 250) + "." +
                                    std::to_string(number % 250) + ":12200?weight=50"));
            }
            load.frames[c].push_back(native_frame(request));
            load.bytes += load.frames[c].back().size();
        }
    }
    return load;
}

// Sends all of it and reads every answer; how many registrations were accepted.
std::size_t run_load(Load& load) {
    const std::size_t rounds = load.frames.front().size();
    for (std::size_t i = 0; i < rounds; ++i) {
        for (std::size_t c = 0; c < kConnections; ++c) {
            load.connections[c]->send(load.frames[c][i]);
        }
    }
    std::size_t accepted = 0;
    for (auto& connection : load.connections) {
        for (std::size_t i = 0; i < rounds; ++i) {
            accepted += taken_of(connection->next_frame());
        }
    }
    return accepted;
}

}  // namespace

void run_registrations(Report& report, const Effort& effort) {
    const ServerProcess server;
    Load load = make_load(server.bolt_port(), effort.publications);
    const std::uint64_t rss_before = server.rss_bytes();
    const double cpu_before = server.cpu_seconds();
    const Duration begin = now();
    const std::size_t accepted = run_load(load);
    const double seconds = static_cast<double>((now() - begin).count()) / 1e9;
    CHECK(accepted == load.publications);
    const auto count = static_cast<double>(accepted);
    report.add({.bench = "registrations",
                .metric = "rate_native_batched",
                .unit = "1/s",
                .value = count / seconds,
                .bound = effort.judge ? std::optional(Bound{Bound::Kind::at_least, 100'000})
                                      : std::nullopt});
    report.add({.bench = "registrations",
                .metric = "server_cpu",
                .unit = "s",
                .value = server.cpu_seconds() - cpu_before});
    report.add({.bench = "registrations",
                .metric = "bytes_per_publication_on_the_wire",
                .unit = "B",
                .value = static_cast<double>(load.bytes) / count});
    report.add({.bench = "registrations",
                .metric = "memory_per_publication_session_and_data",
                .unit = "B",
                .value = static_cast<double>(server.rss_bytes() - rss_before) / count});
}

}  // namespace muster::bench
