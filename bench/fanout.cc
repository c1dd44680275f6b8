#include <optional>

#include "bare.h"
#include "base/check.h"
#include "client_frames.h"
#include "crowd.h"
#include "server_process.h"
#include "sockets.h"
#include "standalone.h"
#include "wire/bolt/frame_encoder.h"

namespace muster::bench {
namespace {

const Service kService{.data_id = "bench.fanout"};

struct Round {
    std::vector<double> rates;  // lists per second
    std::string sample;         // one push frame
};

Round through_muster(const ServerProcess& server, const Effort& effort) {
    Crowd crowd(server.bolt_port(), effort.fanout_connections);
    Connection publisher(server.bolt_port());
    std::int64_t version = 0;
    const auto publish = [&] {
        ++version;
        msg::RegisterPublishers request{.request =
                                            msg::RequestId(static_cast<std::uint64_t>(version))};
        request.publications.push_back(publication(
            kService, "publisher", version, "127.0.0.1:12200?version=" + std::to_string(version)));
        publisher.send(native_frame(request));
    };
    publish();
    CHECK(publisher.next_frame().head.is_response());
    for (std::size_t i = 0; i < crowd.size(); ++i) {
        crowd.at(i).send(native_subscribe(kService, "subscriber-" + std::to_string(i)));
    }
    const auto take = [&](std::size_t i, const bolt::Frame& frame) {
        if (!is_push(frame)) {
            return false;
        }
        crowd.at(i).send(native_ack(frame));
        return true;
    };
    crowd.read_until(crowd.size(), take);
    Round round;
    for (std::size_t i = 0; i < effort.fanout_rounds; ++i) {
        const Duration begin = now();
        publish();
        crowd.read_until(crowd.size(), take);
        const double seconds = static_cast<double>((now() - begin).count()) / 1e9;
        round.rates.push_back(static_cast<double>(crowd.size()) / seconds);
        CHECK(publisher.next_frame().head.is_response());
    }
    return round;
}

// A push frame as long as the ones Muster sends here, for the bare loop; it is read, decoded and
// acknowledged by the same code.
std::string sample_push(const ServerProcess& server) {
    Connection subscriber(server.bolt_port());
    Connection publisher(server.bolt_port());
    subscriber.send(native_subscribe(kService, "subscriber-sample"));
    std::string sample;
    std::int64_t version = 1'000'000;
    while (sample.empty()) {
        ++version;
        msg::RegisterPublishers request{.request =
                                            msg::RequestId(static_cast<std::uint64_t>(version))};
        request.publications.push_back(publication(
            kService, "publisher", version, "127.0.0.1:12200?version=" + std::to_string(version)));
        publisher.send(native_frame(request));
        CHECK(publisher.next_frame().head.is_response());
        for (int i = 0; i < 3 && sample.empty(); ++i) {
            const bolt::Frame frame = subscriber.next_frame();
            if (is_push(frame)) {
                bolt::append_frame(sample, frame);
                subscriber.send(native_ack(frame));
            }
        }
    }
    return sample;
}

Round through_bare_loop(const std::string& message, const Effort& effort) {
    const BareFanout bare(effort.fanout_connections, message);
    Crowd crowd(bare.port(), effort.fanout_connections);
    const Connection trigger(bare.port());
    Round round;
    for (std::size_t i = 0; i < effort.fanout_rounds; ++i) {
        const Duration begin = now();
        trigger.send("!");
        crowd.read_until(crowd.size(), [&](std::size_t at, const bolt::Frame& frame) {
            crowd.at(at).send(native_ack(frame));
            return true;
        });
        const double seconds = static_cast<double>((now() - begin).count()) / 1e9;
        round.rates.push_back(static_cast<double>(crowd.size()) / seconds);
    }
    return round;
}

}  // namespace

void run_fanout(Report& report, const Effort& effort) {
    const ServerProcess server;
    const double cpu_before = server.cpu_seconds();
    const Round muster = through_muster(server, effort);
    const double cpu = server.cpu_seconds() - cpu_before;
    const std::uint64_t rss = server.rss_bytes();
    const std::string sample = sample_push(server);
    const Round bare = through_bare_loop(sample, effort);
    const Spread muster_rate = spread_of(muster.rates);
    const Spread bare_rate = spread_of(bare.rates);
    const std::string bench = "fanout_" + std::to_string(effort.fanout_connections);
    report.add(
        {.bench = bench, .metric = "bare_write_loop", .unit = "lists/s", .spread = bare_rate});
    report.add({.bench = bench, .metric = "muster", .unit = "lists/s", .spread = muster_rate});
    report.add(
        {.bench = bench,
         .metric = "p50_ratio_to_bare_loop",
         .unit = "x",
         .value = muster_rate.p50 / bare_rate.p50,
         .bound = effort.judge ? std::optional(Bound{Bound::Kind::at_least, 0.7}) : std::nullopt});
    report.add({.bench = bench,
                .metric = "push_bytes",
                .unit = "B",
                .value = static_cast<double>(sample.size())});
    report.add({.bench = bench, .metric = "server_cpu", .unit = "s", .value = cpu});
    report.add({.bench = bench,
                .metric = "server_rss",
                .unit = "MB",
                .value = static_cast<double>(rss) / 1e6});
}

}  // namespace muster::bench
