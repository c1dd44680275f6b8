#include <string>
#include <vector>

#include "base/check.h"
#include "client_frames.h"
#include "crowd.h"
#include "push.h"
#include "server_process.h"
#include "sockets.h"

namespace muster::bench {
namespace {

constexpr std::size_t kEach = 100;  // subscriptions of a connection

std::string box_of(std::int64_t version) {
    return "127.0.0.1:12200?version=" + std::to_string(version);
}

// Subscribers on many connections, and one publisher of all they watch.
class Audience {
public:
    Audience(std::uint16_t port, std::size_t connections, std::vector<Service> services)
        : services_(std::move(services)), crowd_(port, connections), publisher_(port) {
        publish();
        for (std::size_t i = 0; i < connections; ++i) {
            crowd_.at(i).send(native_frame(wish(i)));
        }
        await_told();
    }

    // From before a change of every service until each connection was shown it and has acknowledged
    // it, in seconds.
    double round() {
        const Duration begin = now();
        publish();
        await_told();
        return static_cast<double>((now() - begin).count()) / 1e9;
    }

    [[nodiscard]] double pushes_of_a_round() const {
        return static_cast<double>(pushes_) / static_cast<double>(rounds_);
    }

private:
    // kEach subscriptions, dealt out to the services.
    [[nodiscard]] msg::Subscribe wish(std::size_t connection) const {
        msg::Subscribe request{.request = msg::RequestId(1)};
        for (std::size_t i = 0; i < kEach; ++i) {
            Subscription one;
            one.id = RegistId("subscriber-" + std::to_string(connection * kEach + i));
            one.service = interned(services_[i % services_.size()]);
            one.scope = Scope::data_center;
            one.order = {.version = 1, .timestamp_ms = load::wall_ms()};
            request.items.push_back({.subscription = one});
        }
        return request;
    }

    void publish() {
        ++version_;
        msg::RegisterPublishers request{.request =
                                            msg::RequestId(static_cast<std::uint64_t>(version_))};
        for (std::size_t i = 0; i < services_.size(); ++i) {
            request.publications.push_back(publication(
                services_[i], "publisher-" + std::to_string(i), version_, box_of(version_)));
        }
        publisher_.send(native_frame(request));
        CHECK(taken_of(publisher_.next_frame()) == services_.size());
    }

    // Pushes of an older state are acknowledged, and do not count.
    void await_told() {
        const std::string newest = box_of(version_);
        crowd_.read_until(
            crowd_.size() * services_.size(), [&](std::size_t i, const bolt::Frame& frame) {
                if (!is_push(frame)) {
                    return false;
                }
                const msg::Push told = native_push(frame);
                crowd_.at(i).send(native_ack(told));
                const auto& shown =
                    told.delta != nullptr ? told.delta->upserts : told.view->publications;
                ++pushes_;
                return !shown.empty() && shown.front()->boxes.front() == newest;
            });
        ++rounds_;
    }

    std::vector<Service> services_;
    Crowd crowd_;
    Connection publisher_;
    std::int64_t version_ = 1'000'000;
    std::size_t pushes_ = 0;
    std::size_t rounds_ = 0;
};

void measure(Report& report, const Effort& effort, std::size_t services, bool judge) {
    std::vector<Service> watched;
    for (std::size_t i = 0; i < services; ++i) {
        watched.push_back({.data_id = "com.example.bench.Watched" + std::to_string(i)});
    }
    const ServerProcess server;
    Audience audience(server.bolt_port(), effort.subscribing_connections, watched);
    std::vector<double> times;
    for (std::size_t i = 0; i < effort.subscription_rounds; ++i) {
        times.push_back(audience.round() * 1000);
    }
    const std::string bench = "subscriptions_" +
                              std::to_string(effort.subscribing_connections * kEach) + "_of_" +
                              std::to_string(services);
    report.add({.bench = bench,
                .metric = "change_to_last_acknowledged",
                .unit = "ms",
                .spread = spread_of(times),
                .bound = judge ? std::optional(Bound{Bound::Kind::at_most, 1000}) : std::nullopt});
    report.add({.bench = bench,
                .metric = "pushes_of_a_change",
                .unit = "",
                .value = audience.pushes_of_a_round()});
    report.add({.bench = bench,
                .metric = "server_rss",
                .unit = "MB",
                .value = static_cast<double>(server.rss_bytes()) / 1e6});
}

}  // namespace

void run_many_subscriptions(Report& report, const Effort& effort) {
    measure(report, effort, 1, effort.judge);
    measure(report, effort, kEach, false);
}

}  // namespace muster::bench
