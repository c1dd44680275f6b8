#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "apps/load/machine.h"
#include "apps/muster/bench/figures.h"
#include "apps/muster/bench/shared_services.h"
#include "apps/muster/bench/works.h"

namespace muster::cli::bench {
namespace {

// After the last answer, until it counts as not told.
constexpr Duration kTellingPatience = std::chrono::seconds(30);

class Registrations {
public:
    Registrations(Run& run, const RegistrationsSize& size)
        : run_(run),
          size_(size),
          shared_{.services = size.services, .instances = size.instances},
          sent_(size.instances) {}

    Result<void> go() {
        MUSTER_TRY(prepare());
        run_.audience().on_change([this](const Audience::Change& change) { told(change); });
        run_.registrants().on_answer([this](const Registrants::Answer& answer) {
            requests_.add(answer.took);
            ++answered_;
            send_next(answer.conn);
        });
        run_.begin();
        auto outcome = all_phases();
        run_.end();
        run_.audience().on_change({});
        run_.registrants().on_answer({});
        run_.on_list({});
        return outcome;
    }

private:
    // The clients come first, by number.
    Result<void> prepare() {
        MUSTER_TRY(run_.connect(size_.clients + size_.subscribers));
        run_.report().push = size_.subscribers > 0;
        const auto watched =
            subscribe_to_every_tenth(run_, shared_, size_.clients, size_.subscribers);
        if (!watched) {
            return std::unexpected(watched.error());
        }
        watched_ = *watched;
        return {};
    }

    Result<void> all_phases() {
        MUSTER_TRY(phase(false, "register", "registering", "registrations"));
        MUSTER_TRY(query());
        return phase(true, "deregister", "deregistering", "deregistrations");
    }

    // Every instance once, each client with one request open.
    Result<void> phase(bool leaving, const std::string& metric, const char* what,
                       const char* plural) {
        leaving_ = leaving;
        next_ = 0;
        answered_ = 0;
        told_count_ = 0;
        requests_ = {};
        to_subscriber_ = {};
        const std::uint64_t requests = (size_.instances + size_.batch - 1) / size_.batch;
        const Duration begin = load::now();
        for (std::size_t conn = 0; conn < size_.clients; ++conn) {
            send_next(conn);
        }
        auto outcome =
            run_.await({.what = what, .so_far = [&] { return answered_; }, .total = requests});
        const Duration took = load::now() - begin;
        if (outcome) {
            outcome = tell_all();
        }
        auto& figures = run_.report().figures;
        figures.push_back(time_figure(metric + "_request", metric + ", each request", requests_));
        if (watched_ > 0) {
            figures.push_back(time_figure(metric + "_to_subscriber", metric + " to its subscriber",
                                          to_subscriber_));
        }
        figures.push_back(value_figure(std::string(plural) + "_per_second", plural,
                                       per_second(std::min(next_, size_.instances), took),
                                       "a second"));
        return outcome;
    }

    Result<void> tell_all() {
        const auto all = run_.try_await(
            {.what = "telling", .so_far = [&] { return told_count_; }, .total = watched_},
            kTellingPatience);
        if (!all) {
            return std::unexpected(all.error());
        }
        run_.report().not_told += watched_ - told_count_;
        return {};
    }

    void send_next(std::size_t conn) {
        const std::uint64_t count = std::min(size_.batch, size_.instances - next_);
        if (count == 0) {
            return;
        }
        std::vector<EntryName> batch;
        batch.reserve(count);
        const Duration now = load::now();
        for (std::uint64_t i = 0; i < count; ++i, ++next_) {
            batch.push_back(shared_.name_of(next_));
            sent_[next_] = now;
            if (leaving_) {
                run_.audience().let_go(batch.back().service, batch.back().entry);
            }
        }
        if (leaving_) {
            run_.registrants().leave(conn, batch);
        } else {
            run_.registrants().say(conn, batch);
        }
    }

    void told(const Audience::Change& change) {
        const std::uint64_t instance = shared_.number_of(change.service, change.entry);
        if (change.conn < size_.clients || instance >= size_.instances) {
            return;  // the list of a query
        }
        if ((change.to == 0) == leaving_) {
            to_subscriber_.add(change.at - sent_[instance]);
            ++told_count_;
        }
    }

    // Each service is asked for once: subscribed to until its list comes. Each client has one
    // question open.
    Result<void> query() {
        std::vector<Duration> asked(size_.clients);
        std::vector<std::uint32_t> service_of(size_.clients);
        std::uint64_t next = 0;
        std::uint64_t done = 0;
        load::Latencies took;
        const auto ask = [&](std::size_t conn) {
            if (next == size_.services) {
                return;
            }
            const auto service = static_cast<std::uint32_t>(next++);
            service_of[conn] = service;
            asked[conn] = load::now();
            const Run::Wish wish{.service = service, .entries = shared_.entries_of(service)};
            run_.subscribe(conn, std::array{wish});
        };
        run_.on_list([&](std::size_t conn, std::uint32_t service, Duration at) {
            if (conn < size_.clients && asked[conn] > Duration{} && service_of[conn] == service) {
                took.add(at - std::exchange(asked[conn], Duration{}));
                ++done;
                run_.unsubscribe(conn, service);
                ask(conn);
            }
        });
        const Duration begin = load::now();
        for (std::size_t conn = 0; conn < size_.clients; ++conn) {
            ask(conn);
        }
        auto outcome =
            run_.await({.what = "asking", .so_far = [&] { return done; }, .total = size_.services});
        const Duration passed = load::now() - begin;
        run_.on_list({});
        auto& figures = run_.report().figures;
        figures.push_back(time_figure("query", "query of a service", took));
        figures.push_back(
            value_figure("queries_per_second", "queries", per_second(done, passed), "a second"));
        return outcome;
    }

    Run& run_;
    RegistrationsSize size_;
    SharedServices shared_;
    std::vector<Duration> sent_;  // by instance
    std::uint64_t watched_ = 0;   // instances that a subscriber is told about
    bool leaving_ = false;
    std::uint64_t next_ = 0;
    std::uint64_t answered_ = 0;  // requests
    std::uint64_t told_count_ = 0;
    load::Latencies requests_;
    load::Latencies to_subscriber_;
};

}  // namespace

Result<void> run_registrations(Run& run, const RegistrationsSize& size) {
    return Registrations(run, size).go();
}

}  // namespace muster::cli::bench
