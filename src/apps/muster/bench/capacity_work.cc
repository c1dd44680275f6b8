#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "apps/load/machine.h"
#include "apps/muster/bench/figures.h"
#include "apps/muster/bench/growth.h"
#include "apps/muster/bench/shared_services.h"
#include "apps/muster/bench/works.h"

namespace muster::cli::bench {
namespace {

// Publications of one request; each connection has one open.
constexpr std::uint64_t kBatch = 100;
// After each step: what is on its way, and what is kept for a moment only, is not counted.
constexpr Duration kRest = std::chrono::milliseconds(500);

class Capacity {
public:
    Capacity(Run& run, const CapacitySize& size)
        : run_(run),
          size_(size),
          shared_{.services = size.services, .instances = size.publications} {}

    Result<void> go() {
        auto memory = measure();
        if (!memory) {
            return std::unexpected(memory.error());
        }
        memory_ = *memory;
        run_.registrants().on_answer([this](const Registrants::Answer& answer) {
            ++answered_;
            publish_some(answer.conn);
        });
        run_.on_list([this](std::size_t, std::uint32_t, Duration) { ++lists_; });
        run_.begin();
        auto outcome = all();
        run_.end();
        run_.registrants().on_answer({});
        run_.on_list({});
        tell();
        return outcome;
    }

private:
    Result<void> all() {
        for (std::uint64_t step = 0; step < size_.steps; ++step) {
            const std::uint64_t count = part(size_.connections, step);
            const auto conns = run_.connect(count);
            if (!conns) {
                return std::unexpected(conns.error());
            }
            MUSTER_TRY(grown(connections_, count));
        }
        for (std::uint64_t step = 0; step < size_.steps; ++step) {
            MUSTER_TRY(publish(part(size_.publications, step)));
        }
        for (std::uint64_t step = 0; step < size_.steps; ++step) {
            MUSTER_TRY(subscribe(part(size_.subscriptions, step)));
        }
        return {};
    }

    // What of `total` a step adds.
    [[nodiscard]] std::uint64_t part(std::uint64_t total, std::uint64_t step) const {
        return total * (step + 1) / size_.steps - total * step / size_.steps;
    }

    Result<void> publish(std::uint64_t count) {
        end_ = next_ + count;
        for (std::size_t conn = 0; conn < size_.connections; ++conn) {
            publish_some(conn);
        }
        MUSTER_TRY(run_.await({.what = "publishing",
                               .so_far = [this] { return answered_ == asked_ ? end_ : next_; },
                               .total = end_}));
        return grown(publications_, count);
    }

    void publish_some(std::size_t conn) {
        const std::uint64_t count = std::min(kBatch, end_ - next_);
        if (count == 0) {
            return;
        }
        std::vector<EntryName> batch;
        batch.reserve(count);
        for (std::uint64_t i = 0; i < count; ++i) {
            batch.push_back(shared_.name_of(next_++));
        }
        ++asked_;
        run_.registrants().say(conn, batch);
    }

    // Number n is of connection n modulo their number; its first subscriptions are of other
    // services than its neighbours', so that all services are watched early.
    Result<void> subscribe(std::uint64_t count) {
        std::vector<std::vector<Run::Wish>> wishes(size_.connections);
        for (std::uint64_t i = 0; i < count; ++i, ++subscribed_) {
            const std::uint64_t conn = subscribed_ % size_.connections;
            const std::uint64_t round = subscribed_ / size_.connections;
            const auto service = static_cast<std::uint32_t>(
                (conn * size_.services / size_.connections + round) % size_.services);
            wishes[conn].push_back({.service = service, .entries = shared_.entries_of(service)});
        }
        for (std::size_t conn = 0; conn < wishes.size(); ++conn) {
            run_.subscribe(conn, wishes[conn]);
        }
        MUSTER_TRY(run_.await(
            {.what = "subscribing", .so_far = [this] { return lists_; }, .total = subscribed_}));
        return grown(subscriptions_, count);
    }

    Result<void> grown(Growth& growth, std::uint64_t count) {
        MUSTER_TRY(run_.pass_until(
            {.what = "resting", .so_far = [] { return std::uint64_t{0}; }, .total = 1},
            load::now() + kRest));
        const auto after = measure();
        if (!after) {
            return std::unexpected(after.error());
        }
        if (after->started != memory_.started) {
            return fail(Errc::unavailable,
                        "a process of the server was restarted meanwhile: what it held before is "
                        "gone, so this tells nothing");
        }
        growth.add(count, memory_.rss_bytes, after->rss_bytes);
        memory_ = *after;
        return {};
    }

    Result<ServerFigures> measure() {
        const auto figures = run_.server_figures();
        if (!figures) {
            return fail(Errc::unavailable,
                        "capacity reads how much memory the servers take from their metrics, and "
                        "none are there: name the HTTP ports of all processes with --http");
        }
        return *figures;
    }

    void tell() {
        tell(connections_, "connection");
        tell(publications_, "publication");
        tell(subscriptions_, "subscription");
    }

    void tell(const Growth& growth, const std::string& what) {
        if (growth.steps() == 0) {
            return;
        }
        Report& report = run_.report();
        const auto bytes = [&](const char* suffix, const char* words, double value) {
            report.figures.push_back(value_figure("bytes_per_" + what + suffix,
                                                  fmt::format("memory of a {}, {}", what, words),
                                                  value, "B"));
        };
        bytes("_least", "least step", growth.least());
        bytes("", "median step", growth.median());
        bytes("_most", "most step", growth.most());
        if (growth.median() > 0) {
            report.figures.push_back(value_figure(what + "s_per_gb",
                                                  fmt::format("{}s in a GB, at the median", what),
                                                  growth.in_a_gb()));
        }
        if (growth.least() <= 0) {
            report.notes.push_back(fmt::format(
                "in a step more {}s took no more memory: the server has some to spare from before. "
                "Start it anew, or add more",
                what));
        }
    }

    Run& run_;
    CapacitySize size_;
    SharedServices shared_;
    ServerFigures memory_;  // after the last step
    Growth connections_;
    Growth publications_;
    Growth subscriptions_;
    std::uint64_t next_ = 0;      // publication
    std::uint64_t end_ = 0;       // of the step
    std::uint64_t asked_ = 0;     // requests
    std::uint64_t answered_ = 0;  // requests
    std::uint64_t subscribed_ = 0;
    std::uint64_t lists_ = 0;
};

}  // namespace

Result<void> run_capacity(Run& run, const CapacitySize& size) {
    return Capacity(run, size).go();
}

}  // namespace muster::cli::bench
