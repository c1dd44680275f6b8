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

Error error_of(const char* what, const sdk::Error& error) {
    return {Errc::unavailable, fmt::format("{}: {}", what, error.to_string())};
}

class Steady {
public:
    Steady(Run& run, const SteadySize& size)
        : run_(run),
          size_(size),
          witness_(std::make_shared<SteadyWitness>(size.services, size.subscribers)),
          states_(size.services, 0) {}

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

    // The next state of a service's instance.
    sdk::EndpointSpec next_state(std::uint32_t service, Duration due) {
        const std::uint32_t state = ++states_[service];
        witness_->said(service, state, due);
        return {.service = path_of(service),
                .ip = fmt::format("192.0.2.{}", service % 250 + 1),
                .port = kPort,
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
        for (std::uint32_t service = 0; service < size_.services; ++service) {
            auto registration = providers_[service % size_.clients].register_endpoint(
                next_state(service, load::now()));
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
                           .total = size_.services * size_.subscribers});
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
                     .on_list = [witness = witness_, subscriber, service](const sdk::List& list) {
                         witness->shown(subscriber, service, state_in(list), load::now());
                     }});
                if (!subscription) {
                    return std::unexpected(error_of("subscribing", subscription.error()));
                }
                subscriptions_.push_back(std::move(subscription).value());
            }
        }
        return {};
    }

    // Of the only instance; zero: it is not there.
    static std::uint32_t state_in(const sdk::List& list) {
        for (std::size_t i = 0; i < list.size(); ++i) {
            const std::string_view text = list.metadata(i, kState);
            std::uint32_t state = 0;
            std::from_chars(text.data(), text.data() + text.size(), state);
            if (state > 0) {
                return state;
            }
        }
        return 0;
    }

    Result<void> change_all() {
        const std::uint64_t total = size_.rate * size_.seconds;
        const Phase changing{
            .what = "changing", .so_far = [&] { return witness_->begun(); }, .total = total};
        const Duration begin = load::now();
        for (std::uint64_t number = 0; number < total; ++number) {
            const Duration due =
                begin + std::chrono::nanoseconds(std::chrono::seconds(1)) * number / size_.rate;
            MUSTER_TRY(run_.pass_until(changing, due));
            const auto service = static_cast<std::uint32_t>(number % size_.services);
            const auto said = registrations_[service].update(next_state(service, due));
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
    }

    // Politely; the connections of those that cannot are closed all the same.
    void leave() {
        subscriptions_.clear();
        for (std::size_t i = 0; i < providers_.size(); ++i) {
            if (!providers_[i].close(kLeaving)) {
                run_.report().left_behind +=
                    (size_.services - i + size_.clients - 1) / size_.clients;
            }
        }
        for (const sdk::Client& subscriber : subscribers_) {
            static_cast<void>(subscriber.close());
        }
    }

    Run& run_;
    SteadySize size_;
    std::shared_ptr<SteadyWitness> witness_;
    std::vector<std::uint32_t> states_;  // said, by service
    std::vector<sdk::Client> providers_;
    std::vector<sdk::Client> subscribers_;
    std::vector<sdk::Registration> registrations_;  // by service
    std::vector<sdk::Subscription> subscriptions_;
};

}  // namespace

Result<void> run_steady(Run& run, const SteadySize& size) {
    return Steady(run, size).go();
}

}  // namespace muster::cli::bench
