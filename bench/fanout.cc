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

// A crowd that is told a change again and again; rates of the rounds so far.
class Told {
public:
    virtual ~Told() = default;
    virtual void round() = 0;

    [[nodiscard]] const std::vector<double>& rates() const {
        return rates_;  // lists per second
    }

protected:
    void took(std::size_t lists, Duration begin) {
        const double seconds = static_cast<double>((now() - begin).count()) / 1e9;
        rates_.push_back(static_cast<double>(lists) / seconds);
    }

private:
    std::vector<double> rates_;
};

// Publishes states of one registration, each a change of the service.
class Publisher {
public:
    explicit Publisher(std::uint16_t port) : connection_(port) {}

    void publish() {
        ++version_;
        msg::RegisterPublishers request{.request =
                                            msg::RequestId(static_cast<std::uint64_t>(version_))};
        request.publications.push_back(
            publication(kService, "publisher", version_,
                        "127.0.0.1:12200?version=" + std::to_string(version_)));
        connection_.send(native_frame(request));
    }
    void await_answer() {
        CHECK(connection_.next_frame().head.is_response());
    }

private:
    Connection connection_;
    std::int64_t version_ = 1'000'000;  // as many digits in all rounds
};

// For Crowd::read_until(): acknowledges pushes.
auto take_push_of(Crowd& crowd) {
    return [&crowd](std::size_t i, const bolt::Frame& frame) {
        if (!is_push(frame)) {
            return false;
        }
        crowd.at(i).send(native_ack(frame));
        return true;
    };
}

class ToldByMuster final : public Told {
public:
    ToldByMuster(std::uint16_t port, std::size_t connections)
        : crowd_(port, connections), publisher_(port) {
        publisher_.publish();
        publisher_.await_answer();
        for (std::size_t i = 0; i < crowd_.size(); ++i) {
            crowd_.at(i).send(native_subscribe(kService, "subscriber-" + std::to_string(i)));
        }
        crowd_.read_until(crowd_.size(), take_push_of(crowd_));
    }

    void round() override {
        const Duration begin = now();
        publisher_.publish();
        crowd_.read_until(crowd_.size(), take_push_of(crowd_));
        took(crowd_.size(), begin);
        publisher_.await_answer();
    }

private:
    Crowd crowd_;
    Publisher publisher_;
};

// A push frame as long as the ones Muster sends here, for the bare loop; it is read, decoded and
// acknowledged by the same code.
std::string sample_push(std::uint16_t port) {
    Connection subscriber(port);
    Publisher publisher(port);
    publisher.publish();
    publisher.await_answer();
    subscriber.send(native_subscribe(kService, "subscriber-1234"));
    std::string sample;
    for (int pushes = 0; pushes < 2;) {
        const bolt::Frame frame = subscriber.next_frame();
        if (is_push(frame)) {
            sample.clear();
            bolt::append_frame(sample, frame);
            subscriber.send(native_ack(frame));
            if (++pushes == 1) {
                publisher.publish();  // as a difference, as the rounds have them
                publisher.await_answer();
            }
        }
    }
    return sample;
}

class ToldByBareLoop final : public Told {
public:
    ToldByBareLoop(const std::string& message, std::size_t connections)
        : bare_(connections, message), crowd_(bare_.port(), connections), trigger_(bare_.port()) {}

    void round() override {
        const Duration begin = now();
        trigger_.send("!");
        crowd_.read_until(crowd_.size(), take_push_of(crowd_));
        took(crowd_.size(), begin);
    }

private:
    BareFanout bare_;
    Crowd crowd_;
    Connection trigger_;
};

}  // namespace

void run_fanout(Report& report, const Effort& effort, std::size_t connections) {
    std::string sample;
    {
        const ServerProcess server;
        sample = sample_push(server.bolt_port());
    }
    const ServerProcess server;
    ToldByBareLoop bare(sample, connections);  // forks: before there is anything to inherit
    ToldByMuster muster(server.bolt_port(), connections);
    double cpu = 0;
    // In turns, so that both meet the same machine.
    for (std::size_t i = 0; i < effort.fanout_rounds; ++i) {
        const double before = server.cpu_seconds();
        muster.round();
        cpu += server.cpu_seconds() - before;
        bare.round();
    }
    const Spread muster_rate = spread_of(muster.rates());
    const Spread bare_rate = spread_of(bare.rates());
    const std::string bench = "fanout_" + std::to_string(connections);
    report.add(
        {.bench = bench, .metric = "bare_write_loop", .unit = "lists/s", .spread = bare_rate});
    report.add({.bench = bench, .metric = "muster", .unit = "lists/s", .spread = muster_rate});
    report.add(
        {.bench = bench,
         .metric = "p50_ratio_to_bare_loop",
         .unit = "x",
         .value = muster_rate.p50 / bare_rate.p50,
         .bound = effort.judge ? std::optional(Bound{Bound::Kind::at_least, 0.85}) : std::nullopt});
    report.add({.bench = bench,
                .metric = "push_bytes",
                .unit = "B",
                .value = static_cast<double>(sample.size())});
    report.add({.bench = bench, .metric = "server_cpu", .unit = "s", .value = cpu});
    report.add({.bench = bench,
                .metric = "server_rss",
                .unit = "MB",
                .value = static_cast<double>(server.rss_bytes()) / 1e6});
}

}  // namespace muster::bench
