#include <functional>
#include <string>
#include <vector>

#include "bare.h"
#include "base/check.h"
#include "client_frames.h"
#include "cluster.h"
#include "push.h"
#include "server_process.h"
#include "sockets.h"
#include "standalone.h"

namespace muster::bench {
namespace {

constexpr std::size_t kChunk = 100;  // rounds of one kind before the next has its turn

double micros(Duration duration) {
    return static_cast<double>(duration.count()) / 1000.0;
}

const Service kService{.data_id = "bench.latency"};

// One publisher and one subscriber; measure() is one change until the push is there.
class Pair {
public:
    Pair(std::uint16_t port, bool java) : java_(java), publisher_(port), subscriber_(port) {
        const Service& s = service();
        subscriber_.send(java ? java_subscribe(s, "subscriber-" + kind(), 1)
                              : native_subscribe(s, "subscriber-" + kind()));
        publish();
        while (publisher_.next_frame().head.is_response() == false) {
        }
        // The first list may be told before or after the first publication.
        take_push();
        drain_first_lists();
    }

    double measure() {
        const Duration begin = now();
        publish();
        const Duration end = take_push();
        const auto reply = publisher_.next_frame();
        CHECK(reply.head.is_response());
        return micros(end - begin);
    }

    [[nodiscard]] std::size_t frame_bytes() const {
        return frame_bytes_;
    }

private:
    [[nodiscard]] std::string kind() const {
        return java_ ? "java" : "native";
    }
    [[nodiscard]] Service service() const {
        return {.data_id = kService.data_id + "." + kind()};
    }

    void publish() {
        ++version_;
        const std::string box = "127.0.0.1:12200?version=" + std::to_string(version_);
        std::string frame;
        if (java_) {
            frame = java_publish(service(), "publisher-java", version_, box,
                                 static_cast<std::int32_t>(version_));
        } else {
            msg::RegisterPublishers request{
                .request = msg::RequestId(static_cast<std::uint64_t>(version_))};
            request.publications.push_back(
                publication(service(), "publisher-native", version_, box));
            frame = native_frame(request);
        }
        frame_bytes_ = frame.size();
        publisher_.send(frame);
    }

    // When the next push was there; it is acknowledged after that.
    Duration take_push() {
        while (true) {
            const bolt::Frame frame = subscriber_.next_frame();
            const Duration at = now();
            if (is_push(frame)) {
                subscriber_.send(java_ ? java_ack(frame) : native_ack(frame));
                return at;
            }
        }
    }

    void drain_first_lists() {
        const Duration until = now() + std::chrono::milliseconds(200);
        while (now() < until) {
            subscriber_.drain([this](const bolt::Frame& frame) {
                if (is_push(frame)) {
                    subscriber_.send(java_ ? java_ack(frame) : native_ack(frame));
                }
            });
        }
    }

    bool java_;
    Connection publisher_;
    Connection subscriber_;
    std::int64_t version_ = 0;
    std::size_t frame_bytes_ = 0;
};

// One way of a change, measured in turns with others.
struct Way {
    std::string name;
    std::function<double()> measure;  // one change, in microseconds
    double ratio_max = 0;             // of its median to the bare one's
    std::vector<double> times{};
};

// The relay that all are compared with, and a message as long as those of `native`.
class Bare {
public:
    explicit Bare(const Pair& native)
        : message_(native.frame_bytes(), 'x'), in_(relay_.port()), out_(relay_.port()) {}

    double measure() {
        const Duration begin = now();
        in_.send(message_);
        out_.receive_exactly(message_.size());
        return micros(now() - begin);
    }

private:
    BareRelay relay_;
    std::string message_;
    Connection in_;
    Connection out_;
};

// How many changes were made in all.
std::size_t compare(Report& report, const Effort& effort, const std::string& bench,
                    const Pair& native, std::vector<Way> ways) {
    Bare bare(native);
    std::vector<double> bare_times;
    for (std::size_t done = 0; done < effort.latency_rounds; done += kChunk) {
        for (std::size_t i = 0; i < kChunk; ++i) {
            bare_times.push_back(bare.measure());
        }
        for (Way& way : ways) {
            for (std::size_t i = 0; i < kChunk; ++i) {
                way.times.push_back(way.measure());
            }
        }
    }
    const Spread limit = spread_of(bare_times);
    report.add({.bench = bench, .metric = "bare_two_hop_relay", .unit = "us", .spread = limit});
    for (const Way& way : ways) {
        const Spread spread = spread_of(way.times);
        const auto bound = [&](Bound b) { return effort.judge ? std::optional(b) : std::nullopt; };
        report.add({.bench = bench,
                    .metric = "latency_" + way.name,
                    .unit = "us",
                    .spread = spread,
                    .bound = bound({Bound::Kind::at_most, 5000}),
                    .bound_on_p99 = true});
        report.add({.bench = bench,
                    .metric = "p50_ratio_to_relay_" + way.name,
                    .unit = "x",
                    .value = spread.p50 / limit.p50,
                    .bound = bound({Bound::Kind::at_most, way.ratio_max})});
    }
    return bare_times.size() * ways.size();
}

}  // namespace

void run_latency(Report& report, const Effort& effort) {
    const std::string bench = "publish_to_push";
    const ServerProcess server;
    Pair native(server.bolt_port(), false);
    Pair java(server.bolt_port(), true);
    const double cpu_before = server.cpu_seconds();
    const std::size_t changes =
        compare(report, effort, bench, native,
                {{.name = "native", .measure = [&] { return native.measure(); }, .ratio_max = 6},
                 {.name = "java", .measure = [&] { return java.measure(); }, .ratio_max = 6}});
    report.add({.bench = bench,
                .metric = "server_cpu_per_publish",
                .unit = "us",
                .value = (server.cpu_seconds() - cpu_before) * 1e6 / static_cast<double>(changes)});
}

void run_push_latency(Report& report, const Effort& effort) {
    const ServerProcess server;
    Cluster cluster({.metas = 1, .data = 1, .sessions = 1});
    Pair together(server.bolt_port(), false);
    Pair apart(cluster.of("session").front()->client_port, false);
    static_cast<void>(compare(
        report, effort, "publish_to_push", together,
        {{.name = "one_process", .measure = [&] { return together.measure(); }, .ratio_max = 4},
         {.name = "three_processes", .measure = [&] { return apart.measure(); }, .ratio_max = 8}}));
}

}  // namespace muster::bench
