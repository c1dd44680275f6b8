#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <muster/muster.hpp>

#include "base/time.h"

namespace muster::bench {

struct ChurnSize {
    std::size_t services = 24;
    std::size_t subscribers = 4;  // clients, each of all services
};

// Providers that say something new all the time, and subscribers that watch them, all real clients
// of the SDK. Each new state carries when it was said, so that each arrival tells its delay.
//
// Besides time it keeps what must never happen: a list without a provider that lives, and a version
// that is not greater than the one before.
class Churn {
public:
    Churn(const std::string& servers, const ChurnSize& size);
    ~Churn();
    Churn(const Churn&) = delete;
    Churn& operator=(const Churn&) = delete;

    // Says something new for every service once each `pace`, for so long.
    void run(Duration how_long, Duration pace = std::chrono::milliseconds(10));

    // Goes on until every subscriber has seen of every service something said after `since`; the
    // time from `since` to the last of them. Ends the program when it takes over a minute.
    [[nodiscard]] Duration until_all_flow(Duration since);

    // Delays of what arrived since the last call, in milliseconds.
    [[nodiscard]] std::vector<double> take_delays_ms();

    // Publications with these ids are not of the churn; the time since `since` until no subscriber
    // is shown one of them. Goes on with the churn meanwhile.
    [[nodiscard]] Duration until_gone(const std::string& id_prefix, Duration since);

    [[nodiscard]] std::string service(std::size_t index) const;
    [[nodiscard]] std::size_t services() const {
        return size_.services;
    }
    [[nodiscard]] std::uint64_t false_removals() const;
    [[nodiscard]] std::uint64_t backward_versions() const;

private:
    struct Seen {
        std::int64_t newest_said_ns = 0;
        std::int64_t first_after_ns = 0;  // when the first one said after `since_` arrived
        std::uint64_t version = 0;
        std::vector<std::string> others;  // ids that are not of the churn
        bool shown = false;
    };

    void say_all();
    void on_list(std::size_t subscriber, std::size_t service, const sdk::List& list);
    [[nodiscard]] sdk::EndpointSpec state_of(std::size_t service) const;

    ChurnSize size_;
    mutable std::mutex mutex_;
    std::vector<std::vector<Seen>> seen_;  // by subscriber, service
    std::int64_t since_ = 0;
    std::vector<double> delays_ms_;
    std::uint64_t false_removals_ = 0;
    std::uint64_t backward_versions_ = 0;

    std::vector<sdk::Client> clients_;
    std::vector<sdk::Registration> providers_;
    std::vector<sdk::Subscription> subscriptions_;
};

}  // namespace muster::bench
