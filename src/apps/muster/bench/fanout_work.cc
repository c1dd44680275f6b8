#include <algorithm>
#include <array>

#include "apps/load/machine.h"
#include "apps/muster/bench/figures.h"
#include "apps/muster/bench/spreading_changes.h"
#include "apps/muster/bench/works.h"

namespace muster::cli::bench {
namespace {

// Until a change counts as not told.
constexpr Duration kPatience = std::chrono::seconds(30);
constexpr std::size_t kPublisher = 0;

class Fanout {
public:
    Fanout(Run& run, const FanoutSize& size) : run_(run), size_(size) {
        std::ranges::sort(size_.subscribers);
    }

    Result<void> go() {
        MUSTER_TRY(run_.connect(1));
        std::vector<EntryName> all;
        all.reserve(size_.instances);
        for (std::uint32_t entry = 0; entry < size_.instances; ++entry) {
            all.push_back({.service = 0, .entry = entry});
        }
        run_.registrants().say(kPublisher, all);
        MUSTER_TRY(run_.await(answered("registering")));
        for (const std::uint64_t subscribers : size_.subscribers) {
            MUSTER_TRY(grow(subscribers));
            MUSTER_TRY(point(subscribers));
            if (run_.report().not_told > 0) {
                break;  // more subscribers will not be told sooner
            }
        }
        return {};
    }

private:
    Phase answered(const char* what) {
        return {.what = what,
                .so_far = [this] { return 1 - run_.registrants().open_requests(); },
                .total = 1};
    }

    Result<void> grow(std::uint64_t subscribers) {
        const std::uint64_t before = run_.crowd().size() - 1;
        MUSTER_TRY(run_.connect(subscribers - before));
        const Run::Wish wish{.service = 0, .entries = static_cast<std::uint32_t>(size_.instances)};
        for (std::uint64_t i = before; i < subscribers; ++i) {
            run_.subscribe(1 + i, std::array{wish});
        }
        return run_.await({.what = "subscribing",
                           .so_far = [&] { return run_.audience().shown() / size_.instances; },
                           .total = subscribers});
    }

    // All changes with so many subscribers.
    Result<void> point(std::uint64_t subscribers) {
        SpreadingChanges changes(1, subscribers);
        Duration telling{};
        run_.audience().on_change([&](const Audience::Change& change) {
            changes.shown(change.entry, change.from, change.to, change.at);
        });
        const std::uint64_t received_before = run_.crowd().bytes_received(1, subscribers);
        run_.begin();
        auto outcome = rounds(subscribers, changes, telling);
        run_.end();
        run_.audience().on_change({});
        const auto add = [&](Figure figure) {
            figure.subscribers = subscribers;
            run_.report().figures.push_back(std::move(figure));
        };
        add(time_figure("change_to_each_subscriber", "change to each", changes.to_each()));
        add(time_figure("change_to_last_subscriber", "change to last", changes.to_last()));
        add(value_figure("lists_per_second", "lists told",
                         per_second(changes.to_each().count(), telling), "a second"));
        if (const auto lists = changes.to_each().count(); lists > 0) {
            const auto received = run_.crowd().bytes_received(1, subscribers) - received_before;
            add(value_figure("bytes_per_list", "bytes for each list told",
                             static_cast<double>(received) / static_cast<double>(lists), "B"));
        }
        return outcome;
    }

    Result<void> rounds(std::uint64_t subscribers, SpreadingChanges& changes, Duration& telling) {
        for (std::uint64_t i = 0; i < size_.changes; ++i) {
            const Duration begin = load::now();
            changes.begin(0, ++version_, begin);
            run_.registrants().say(kPublisher, std::array{EntryName{.service = 0, .entry = 0}});
            const auto told =
                run_.try_await({.what = "telling " + std::to_string(subscribers) + " subscribers",
                                .so_far = [&] { return i + 1 - changes.open(); },
                                .total = i + 1},
                               kPatience);
            if (!told) {
                return std::unexpected(told.error());
            }
            if (!*told) {
                run_.report().not_told += changes.open();
                return {};
            }
            telling += load::now() - begin;
            MUSTER_TRY(run_.await(answered("publishing")));
        }
        return {};
    }

    Run& run_;
    FanoutSize size_;
    std::uint32_t version_ = 1;  // of the entry that changes
};

}  // namespace

Result<void> run_fanout(Run& run, const FanoutSize& size) {
    return Fanout(run, size).go();
}

}  // namespace muster::cli::bench
