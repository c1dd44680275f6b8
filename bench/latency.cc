#include "bare.h"
#include "base/check.h"
#include "client_frames.h"
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

void report_kind(Report& report, const Effort& effort, const std::string& kind,
                 const std::vector<double>& values, const Spread& bare) {
    const Spread spread = spread_of(values);
    const auto bound = [&](Bound b) { return effort.judge ? std::optional(b) : std::nullopt; };
    report.add({.bench = "publish_to_push",
                .metric = "latency_" + kind,
                .unit = "us",
                .spread = spread,
                .bound = bound({Bound::Kind::at_most, 5000}),
                .bound_on_p99 = true});
    report.add({.bench = "publish_to_push",
                .metric = "p50_ratio_to_relay_" + kind,
                .unit = "x",
                .value = spread.p50 / bare.p50,
                .bound = bound({Bound::Kind::at_most, 6})});
}

}  // namespace

void run_latency(Report& report, const Effort& effort) {
    const ServerProcess server;
    const BareRelay relay;
    Connection relay_in(relay.port());
    Connection relay_out(relay.port());
    Pair native(server.bolt_port(), false);
    Pair java(server.bolt_port(), true);
    const std::string message(native.frame_bytes(), 'x');
    std::vector<double> bare_times;
    std::vector<double> native_times;
    std::vector<double> java_times;
    const double cpu_before = server.cpu_seconds();
    for (std::size_t done = 0; done < effort.latency_rounds; done += kChunk) {
        for (std::size_t i = 0; i < kChunk; ++i) {
            const Duration begin = now();
            relay_in.send(message);
            relay_out.receive_exactly(message.size());
            bare_times.push_back(micros(now() - begin));
        }
        for (std::size_t i = 0; i < kChunk; ++i) {
            native_times.push_back(native.measure());
        }
        for (std::size_t i = 0; i < kChunk; ++i) {
            java_times.push_back(java.measure());
        }
    }
    const Spread bare = spread_of(bare_times);
    report.add(
        {.bench = "publish_to_push", .metric = "bare_two_hop_relay", .unit = "us", .spread = bare});
    report_kind(report, effort, "native", native_times, bare);
    report_kind(report, effort, "java", java_times, bare);
    report.add({.bench = "publish_to_push",
                .metric = "server_cpu_per_publish",
                .unit = "us",
                .value = (server.cpu_seconds() - cpu_before) * 1e6 /
                         static_cast<double>(native_times.size() + java_times.size())});
}

}  // namespace muster::bench
