#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "client_frames.h"
#include "crowd.h"
#include "push.h"
#include "server_pair.h"
#include "server_process.h"
#include "sockets.h"
#include "standalone.h"

namespace muster::bench {
namespace {

constexpr std::size_t kConnections = 50;
constexpr std::size_t kBatch = 500;
constexpr std::size_t kPerService = 10;
// With a follower, one batch of each is outstanding: 4,000 registrations, as of the peers.
constexpr std::size_t kFollowedConnections = 8;

// Made ahead: what is timed is the server. `first` is the number of the first publication.
std::string batch_frame(std::size_t first, std::size_t count) {
    msg::RegisterPublishers request{.request = msg::RequestId(first + 1)};
    for (std::size_t number = first; number < first + count; ++number) {
        const Service service{.data_id = "com.example.bench.Service" +
                                         std::to_string(number / kPerService)};
        request.publications.push_back(
            publication(service, "6fa459ea-ee8a-3ca4-894e-" + std::to_string(number), 1,
                        "10.1." + std::to_string(number / 250 % 250) + "." +
                            std::to_string(number % 250) + ":12200?weight=50"));
    }
    return native_frame(request);
}

// What the generator sends.
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
            const std::size_t count = std::min(kBatch, per_connection - done);
            load.frames[c].push_back(batch_frame(load.publications, count));
            load.publications += count;
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

// Sends batches, one outstanding on each connection, until all are answered; what of them was
// accepted. `batch_ms` is told how long each took.
std::size_t run_outstanding(Crowd& crowd, const std::vector<std::string>& batches,
                            std::vector<double>& batch_ms) {
    std::vector<Duration> sent_at(crowd.size());
    std::size_t next = 0;
    const auto send_next = [&](std::size_t connection) {
        if (next < batches.size()) {
            sent_at[connection] = now();
            crowd.at(connection).send(batches[next++]);
        }
    };
    for (std::size_t i = 0; i < crowd.size(); ++i) {
        send_next(i);
    }
    std::size_t accepted = 0;
    crowd.read_until(batches.size(), [&](std::size_t i, const bolt::Frame& frame) {
        if (!frame.head.is_response()) {
            return false;
        }
        batch_ms.push_back(static_cast<double>((now() - sent_at[i]).count()) / 1e6);
        accepted += taken_of(frame);
        send_next(i);
        return true;
    });
    return accepted;
}

// One round: two processes of their own, which are warmed up before.
struct Followed {
    double rate = 0;    // 1/s, until followers have all
    double cpu_us = 0;  // of both servers, for each
};

Followed run_followed_round(std::size_t publications, std::size_t warm_up,
                            std::vector<double>& batch_ms) {
    const ServerPair servers;
    Crowd crowd(servers.bolt_port(), kFollowedConnections);
    const auto batches_of = [](std::size_t first, std::size_t count) {
        std::vector<std::string> batches;
        for (std::size_t done = 0; done < count; done += kBatch) {
            batches.push_back(batch_frame(first + done, std::min(kBatch, count - done)));
        }
        return batches;
    };
    std::vector<double> not_counted;
    CHECK(run_outstanding(crowd, batches_of(0, warm_up), not_counted) == warm_up);
    servers.await_followed(warm_up);
    const std::vector<std::string> batches = batches_of(warm_up, publications);
    const double cpu_before = servers.cpu_seconds();
    const Duration begin = now();
    CHECK(run_outstanding(crowd, batches, batch_ms) == publications);
    servers.await_followed(warm_up + publications);
    const double seconds = static_cast<double>((now() - begin).count()) / 1e9;
    const auto count = static_cast<double>(publications);
    return {.rate = count / seconds, .cpu_us = (servers.cpu_seconds() - cpu_before) * 1e6 / count};
}

}  // namespace

void run_followed_registrations(Report& report, const Effort& effort) {
    std::vector<double> rates;
    std::vector<double> cpu_us;
    std::vector<double> batch_ms;
    for (std::size_t round = 0; round < effort.registration_rounds; ++round) {
        const Followed one =
            run_followed_round(effort.publications, effort.publications / 5, batch_ms);
        rates.push_back(one.rate);
        cpu_us.push_back(one.cpu_us);
    }
    report.add({.bench = "registrations_followed",
                .metric = "rate_native_batched",
                .unit = "1/s",
                .spread = spread_of(std::move(rates)),
                .bound = effort.judge ? std::optional(Bound{Bound::Kind::at_least, 200'000})
                                      : std::nullopt});
    report.add({.bench = "registrations_followed",
                .metric = "batch_of_500_answered",
                .unit = "ms",
                .spread = spread_of(std::move(batch_ms))});
    report.add({.bench = "registrations_followed",
                .metric = "server_cpu_per_registration",
                .unit = "us",
                .spread = spread_of(std::move(cpu_us))});
}

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
