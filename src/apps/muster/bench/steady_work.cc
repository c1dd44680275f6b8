#include <charconv>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <muster/muster.hpp>

#include "apps/load/machine.h"
#include "apps/muster/bench/figures.h"
#include "apps/muster/bench/steady_witness.h"
#include "apps/muster/bench/works.h"

namespace muster::cli::bench {
namespace {

constexpr sdk::Milliseconds kFirstAnswer{10'000};
constexpr sdk::Milliseconds kLeaving{5000};
// After the last change, until it counts as not told: what was broken needs time to mend.
constexpr Duration kSettling = std::chrono::seconds(30);
constexpr const char* kState = "state";
constexpr std::uint16_t kPort = 12'200;
constexpr std::uint32_t kIps = 250;  // addresses of instances, then the next port

Error error_of(const char* what, const sdk::Error& error) {
    return {Errc::unavailable, fmt::format("{}: {}", what, error.to_string())};
}

class Steady {
public:
    Steady(Run& run, const SteadySize& size)
        : run_(run),
          size_(size),
          witness_(std::make_shared<SteadyWitness>(
              SteadyWitness::Size{.services = size.services,
                                  .instances = size.instances,
                                  .subscribers = size.subscribers})),
          states_(size.services * size.instances, 0) {}

    Result<void> go() {
        auto outcome = prepare();
        if (outcome) {
            run_.begin();
            outcome = change_all();
            run_.end();
            tell();
        }
        leave();
        return outcome;
    }

private:
    Result<sdk::Client> open() {
        auto client = sdk::Client::open({.servers = run_.report().servers,
                                         .app = "muster-bench",
                                         .services_file = "",
                                         .log_level = MUSTER_LOG_ERROR});
        if (!client) {
            return std::unexpected(error_of("a client", client.error()));
        }
        return std::move(client).value();
    }

    [[nodiscard]] std::string path_of(std::uint32_t service) const {
        return run_.names().service(service).path();
    }

    // Those of all services are numbered: one of each service, then the next of each.
    [[nodiscard]] std::uint64_t instances() const {
        return size_.services * size_.instances;
    }

    // The next state of an instance.
    sdk::EndpointSpec next_state(std::uint64_t number, Duration due) {
        const auto service = static_cast<std::uint32_t>(number % size_.services);
        const auto instance = static_cast<std::uint32_t>(number / size_.services);
        const std::uint32_t state = ++states_[number];
        witness_->said(service, instance, state, due);
        return {.service = path_of(service),
                .ip = fmt::format("192.0.2.{}", instance % kIps + 1),
                .port = static_cast<std::uint16_t>(kPort + instance / kIps),
                .metadata = {{kState, std::to_string(state)}}};
    }

    Result<void> prepare() {
        for (std::uint64_t i = 0; i < size_.clients; ++i) {
            auto client = open();
            if (!client) {
                return std::unexpected(client.error());
            }
            providers_.push_back(std::move(*client));
        }
        for (std::uint64_t number = 0; number < instances(); ++number) {
            auto registration = providers_[number % size_.clients].register_endpoint(
                next_state(number, load::now()));
            if (!registration) {
                return std::unexpected(error_of("registering", registration.error()));
            }
            registrations_.push_back(std::move(registration).value());
        }
        for (const sdk::Registration& registration : registrations_) {
            if (const auto answer = registration.await(kFirstAnswer); !answer) {
                return std::unexpected(error_of("registering", answer.error()));
            }
        }
        MUSTER_TRY(subscribe_all());
        return run_.await({.what = "subscribing",
                           .so_far = [&] { return witness_->reached(); },
                           .total = instances() * size_.subscribers});
    }

    Result<void> subscribe_all() {
        for (std::uint64_t subscriber = 0; subscriber < size_.subscribers; ++subscriber) {
            auto client = open();
            if (!client) {
                return std::unexpected(client.error());
            }
            subscribers_.push_back(std::move(*client));
            for (std::uint32_t service = 0; service < size_.services; ++service) {
                auto subscription = subscribers_.back().subscribe(
                    {.service = path_of(service),
                     .zone = {},
                     .on_list = [witness = witness_, subscriber, service,
                                 count = size_.instances](const sdk::List& list) {
                         show(*witness, subscriber, service, count, list);
                     }});
                if (!subscription) {
                    return std::unexpected(error_of("subscribing", subscription.error()));
                }
                subscriptions_.push_back(std::move(subscription).value());
            }
        }
        return {};
    }

    static void show(SteadyWitness& witness, std::uint64_t subscriber, std::uint32_t service,
                     std::uint64_t instances, const sdk::List& list) {
        const Duration at = load::now();
        std::vector<std::uint32_t> states(instances, 0);
        SetDigest strangers;
        for (std::size_t i = 0; i < list.size(); ++i) {
            const sdk::Endpoint endpoint = list[i];
            const auto instance = instance_at(endpoint);
            if (instance < instances && states[instance] == 0) {
                states[instance] = state_of(list.metadata(i, kState));
            } else {
                strangers.add(digest_of(fmt::format("{} {}", service, endpoint.id)));
            }
        }
        witness.shown(subscriber, service, {.states = states, .strangers = strangers}, at);
    }

    // By its address, as next_state() chose it.
    static std::uint64_t instance_at(const sdk::Endpoint& endpoint) {
        constexpr std::string_view kNet = "192.0.2.";
        if (!endpoint.ip.starts_with(kNet) || endpoint.port < kPort) {
            return UINT64_MAX;
        }
        const std::uint32_t host = state_of(endpoint.ip.substr(kNet.size()));
        return host == 0 || host > kIps ? UINT64_MAX
                                        : (std::uint64_t{endpoint.port} - kPort) * kIps + host - 1;
    }

    static std::uint32_t state_of(std::string_view text) {
        std::uint32_t state = 0;
        std::from_chars(text.data(), text.data() + text.size(), state);
        return state;
    }

    Result<void> change_all() {
        const std::uint64_t total = size_.rate * size_.seconds;
        const Phase changing{
            .what = "changing", .so_far = [&] { return witness_->begun(); }, .total = total};
        const Duration begin = load::now();
        witness_->begin(begin);
        for (std::uint64_t number = 0; number < total; ++number) {
            const Duration due =
                begin + std::chrono::nanoseconds(std::chrono::seconds(1)) * number / size_.rate;
            MUSTER_TRY(run_.pass_until(changing, due));
            const std::uint64_t instance = number % instances();
            const auto said = registrations_[instance].update(next_state(instance, due));
            if (!said) {
                return std::unexpected(error_of("changing", said.error()));
            }
        }
        const auto told = run_.try_await(
            {.what = "telling", .so_far = [&] { return total - witness_->open(); }, .total = total},
            kSettling);
        if (!told) {
            return std::unexpected(told.error());
        }
        run_.report().not_told = witness_->open();
        return compare();
    }

    // Every view with what was published; those that lost something, too, have time to mend.
    Result<void> compare() {
        const auto all = run_.try_await(
            {.what = "comparing",
             .so_far = [&] { return size_.subscribers - witness_->views().others.size(); },
             .total = size_.subscribers},
            run_.report().not_told > 0 ? Duration{} : kSettling);
        if (!all) {
            return std::unexpected(all.error());
        }
        const auto views = witness_->views();
        run_.report().views = {
            .digest = fmt::format("{:016x}{:016x}", views.said.high, views.said.low),
            .subscribers = size_.subscribers,
            .differing = views.others.size()};
        if (!views.difference.empty()) {
            run_.report().notes.push_back(views.difference);
        }
        return {};
    }

    void tell() {
        const auto verdict = witness_->verdict();
        Report& report = run_.report();
        report.traffic_known = false;
        report.pushes = verdict.lists;
        report.false_removals = verdict.false_removals;
        report.backward = verdict.backward;
        report.figures.push_back(
            time_figure("change_to_each_subscriber", "change to each subscriber", verdict.to_each));
        report.figures.push_back(
            time_figure("change_to_last_subscriber", "change to last subscriber", verdict.to_last));
        report.figures.push_back(time_figure(
            "longest_without_news", "longest without news, each subscriber", verdict.without_news));
        report.figures.push_back(
            time_figure("longest_behind", "longest behind, each subscriber", verdict.behind));
        load::Latencies to_equal;
        if (verdict.to_equal) {
            to_equal.add(*verdict.to_equal);
        }
        report.figures.push_back(
            time_figure("heal_to_equal", "end of the longest to all views equal", to_equal));
    }

    // Politely; the connections of those that cannot are closed all the same.
    void leave() {
        subscriptions_.clear();
        for (std::size_t i = 0; i < providers_.size(); ++i) {
            if (!providers_[i].close(kLeaving)) {
                run_.report().left_behind += (instances() - i + size_.clients - 1) / size_.clients;
            }
        }
        for (const sdk::Client& subscriber : subscribers_) {
            static_cast<void>(subscriber.close());
        }
    }

    Run& run_;
    SteadySize size_;
    std::shared_ptr<SteadyWitness> witness_;
    std::vector<std::uint32_t> states_;  // said, by instance
    std::vector<sdk::Client> providers_;
    std::vector<sdk::Client> subscribers_;
    std::vector<sdk::Registration> registrations_;  // by instance
    std::vector<sdk::Subscription> subscriptions_;
};

}  // namespace

Result<void> run_steady(Run& run, const SteadySize& size) {
    return Steady(run, size).go();
}

}  // namespace muster::cli::bench
