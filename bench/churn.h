#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <muster/muster.hpp>

#include "base/time.h"

namespace muster::bench {

struct ChurnSize {
    std::size_t services = 24;
    std::size_t subscribers = 4;  // clients, each of all services
};

// What must never happen, how often it did.
struct Verdict {
    std::uint64_t false_removals = 0;  // a list without a publication that it showed and that lives
    std::uint64_t lost = 0;            // at rest: a subscriber that is not shown what was said last
    std::uint64_t resurrected = 0;     // a publication that was shown, went, and is shown again
    std::uint64_t backward = 0;        // an older state, or another one without a greater version

    [[nodiscard]] std::uint64_t total() const {
        return false_removals + lost + resurrected + backward;
    }
};

// Providers that say something new all the time, guests that come and leave, and subscribers that
// watch all of it, real clients of the SDK. Each new state carries when it was said, so that each
// arrival tells its delay. Besides time it keeps what must never happen.
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

    // Publications with this in their box are not of the churn; the time since `since` until no
    // subscriber is shown one of them. Goes on with the churn meanwhile.
    [[nodiscard]] Duration until_gone(const std::string& mark, Duration since);

    // Says nothing new until every subscriber is shown exactly what was said last, or for half a
    // minute: what is missing or too much then counts as lost. What happened since the last call.
    [[nodiscard]] Verdict take_verdict();

    [[nodiscard]] std::string service(std::size_t index) const;
    [[nodiscard]] std::size_t services() const {
        return size_.services;
    }

private:
    using Boxes = std::set<std::string>;
    // What one subscriber is shown of one service.
    struct Seen {
        std::int64_t newest_said_ns = 0;
        std::int64_t first_after_ns = 0;  // when the first one said after `since_` arrived
        std::uint64_t version = 0;
        Boxes others;  // all but the provider's
        Boxes gone;    // of those, the ones shown once and then no more
        bool shown = false;
    };
    // What was said of one service.
    struct Said {
        std::int64_t last_ns = 0;
        std::string guest;  // the box of the guest that is there; empty: none
        sdk::Registration guest_registration;
    };

    void say_all();
    void come_or_leave(std::size_t service);
    void on_list(std::size_t subscriber, std::size_t service, const sdk::List& list);
    void judge(const Seen& before, const Boxes& others, std::int64_t newest, const Said& said,
               std::uint64_t version);
    [[nodiscard]] std::uint64_t unequal() const;
    [[nodiscard]] sdk::EndpointSpec state_of(std::size_t service, std::int64_t said_ns) const;

    ChurnSize size_;
    mutable std::mutex mutex_;
    std::vector<std::vector<Seen>> seen_;  // by subscriber, service
    std::vector<Said> said_;               // by service
    std::uint64_t guests_ = 0;
    std::int64_t since_ = 0;
    std::vector<double> delays_ms_;
    Verdict verdict_;

    std::vector<sdk::Client> clients_;
    std::vector<sdk::Registration> providers_;
    std::vector<sdk::Subscription> subscriptions_;
};

}  // namespace muster::bench
