#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "apps/load/machine.h"
#include "apps/muster/bench/figures.h"
#include "apps/muster/bench/works.h"

namespace muster::cli::bench {
namespace {

// Until a step counts as not told.
constexpr Duration kPatience = std::chrono::seconds(30);

class Rolling {
public:
    Rolling(Run& run, const RollingSize& size) : run_(run), size_(size), conns_(size.instances) {}

    Result<void> go() {
        MUSTER_TRY(prepare());
        run_.audience().on_change([this](const Audience::Change& change) {
            told_ += change.from == 0 || change.to == 0 ? 1 : 0;
        });
        const double before = received();
        const double before_unpacked = received_unpacked();
        run_.begin();
        auto outcome = restart_all();
        run_.end();
        run_.audience().on_change({});
        tell(received() - before, received_unpacked() - before_unpacked);
        return outcome;
    }

private:
    [[nodiscard]] static EntryName name_of(std::uint64_t entry) {
        return {.service = 0, .entry = static_cast<std::uint32_t>(entry)};
    }
    // Bytes to one subscriber so far, all being told the same.
    [[nodiscard]] double received() {
        return static_cast<double>(
                   run_.crowd().bytes_received(size_.instances, size_.subscribers)) /
               static_cast<double>(size_.subscribers);
    }
    // To the one besides who takes no packed pushes: the last of those there are at first.
    [[nodiscard]] std::size_t unpacked() const {
        return size_.instances + size_.subscribers;
    }
    [[nodiscard]] double received_unpacked() {
        return static_cast<double>(run_.crowd().bytes_received(unpacked(), 1));
    }
    Phase answered(const char* what, std::uint64_t requests) {
        return {.what = what,
                .so_far =
                    [this, requests] {
                        return requests - std::min(requests, run_.registrants().open_requests());
                    },
                .total = requests};
    }

    // An instance that comes back is another entry, so there are twice as many.
    Result<void> prepare() {
        MUSTER_TRY(run_.connect(size_.instances + size_.subscribers + 1));
        run_.crowd().take_unpacked(unpacked());
        for (std::uint64_t i = 0; i < size_.instances; ++i) {
            conns_[i] = i;
            run_.registrants().say(i, std::array{name_of(i)});
        }
        MUSTER_TRY(run_.await(answered("registering", size_.instances)));
        const Run::Wish wish{.service = 0,
                             .entries = static_cast<std::uint32_t>(2 * size_.instances)};
        for (std::uint64_t i = 0; i <= size_.subscribers; ++i) {
            run_.subscribe(size_.instances + i, std::array{wish});
        }
        auto outcome = run_.await({.what = "subscribing",
                                   .so_far = [&] { return run_.audience().shown(); },
                                   .total = size_.instances * (size_.subscribers + 1)});
        whole_list_ = received();
        whole_list_unpacked_ = received_unpacked();
        return outcome;
    }

    Result<void> restart_all() {
        for (std::uint64_t first = 0; first < size_.instances; first += size_.step) {
            const std::uint64_t count = std::min(size_.step, size_.instances - first);
            const auto on_time = restart(first, count);
            if (!on_time) {
                return std::unexpected(on_time.error());
            }
            if (!*on_time) {
                break;
            }
            ++steps_;
        }
        return {};
    }

    // Whether all were told in time.
    Result<bool> restart(std::uint64_t first, std::uint64_t count) {
        Duration begin = load::now();
        told_ = 0;
        for (std::uint64_t i = first; i < first + count; ++i) {
            run_.audience().let_go(0, name_of(i).entry);
            run_.registrants().leave(conns_[i], std::array{name_of(i)});
        }
        auto told = await_told("stopping", first, count, begin, leaving_);
        if (!told || !*told) {
            return told;
        }
        MUSTER_TRY(run_.await(answered("stopping", count)));
        for (std::uint64_t i = first; i < first + count; ++i) {
            run_.crowd().drop(conns_[i]);
        }
        const auto conns = run_.connect(count);
        if (!conns) {
            return std::unexpected(conns.error());
        }
        begin = load::now();
        told_ = 0;
        for (std::uint64_t i = 0; i < count; ++i) {
            conns_[first + i] = *conns + i;
            run_.registrants().say(*conns + i, std::array{name_of(size_.instances + first + i)});
        }
        told = await_told("starting", first, count, begin, coming_);
        if (!told || !*told) {
            return told;
        }
        MUSTER_TRY(run_.await(answered("starting", count)));
        return true;
    }

    Result<bool> await_told(const char* what, std::uint64_t first, std::uint64_t count,
                            Duration begin, load::Latencies& took) {
        const std::uint64_t all = count * (size_.subscribers + 1);
        const auto told = run_.try_await({.what = fmt::format("{} instance {}", what, first + 1),
                                          .so_far = [&] { return told_; },
                                          .total = all},
                                         kPatience);
        if (told && *told) {
            took.add(load::now() - begin);
        } else if (told) {
            run_.report().not_told += all - told_;
        }
        return told;
    }

    void tell(double received, double received_unpacked) {
        auto& figures = run_.report().figures;
        figures.push_back(time_figure("leaving_to_last_subscriber",
                                      "leaving to last subscriber, each step", leaving_));
        figures.push_back(time_figure("coming_to_last_subscriber",
                                      "coming to last subscriber, each step", coming_));
        const auto steps = static_cast<double>(steps_);
        figures.push_back(value_figure("steps", "steps", steps));
        figures.push_back(
            value_figure("bytes_per_subscriber", "bytes to each subscriber", received, "B"));
        figures.push_back(value_figure("bytes_per_subscriber_unpacked",
                                       "bytes to one who takes nothing packed", received_unpacked,
                                       "B"));
        figures.push_back(value_figure("bytes_of_whole_list",
                                       "bytes of the list when it came first", whole_list_, "B"));
        figures.push_back(value_figure("bytes_of_whole_list_unpacked",
                                       "bytes of the list, unpacked", whole_list_unpacked_, "B"));
        figures.push_back(value_figure("bytes_as_whole_lists",
                                       "bytes if each step sent it twice, whole",
                                       2 * steps * whole_list_, "B"));
    }

    Run& run_;
    RollingSize size_;
    std::vector<std::size_t> conns_;  // of each instance
    std::uint64_t told_ = 0;          // entries that came or went, summed over the subscribers
    std::uint64_t steps_ = 0;
    double whole_list_ = 0;
    double whole_list_unpacked_ = 0;
    load::Latencies leaving_;
    load::Latencies coming_;
};

}  // namespace

Result<void> run_rolling(Run& run, const RollingSize& size) {
    return Rolling(run, size).go();
}

}  // namespace muster::cli::bench
