#include <array>

#include "apps/load/machine.h"
#include "apps/muster/bench/figures.h"
#include "apps/muster/bench/spreading_changes.h"
#include "apps/muster/bench/works.h"

namespace muster::cli::bench {
namespace {

// After the last change, until it counts as not told.
constexpr Duration kPatience = std::chrono::seconds(10);
// The same when some were refused, and so will not be told.
constexpr Duration kPatienceWithRefused = std::chrono::seconds(2);

class Propagation {
public:
    Propagation(Run& run, const PropagationSize& size)
        : run_(run), size_(size), changes_(size.publishers, size.subscribers) {}

    Result<void> go() {
        MUSTER_TRY(prepare());
        run_.audience().on_change([this](const Audience::Change& change) {
            changes_.shown(change.entry, change.from, change.to, change.at);
        });
        run_.registrants().on_answer(
            [this](const Registrants::Answer& answer) { to_answer_.add(answer.took); });
        run_.begin();
        auto outcome = change_all();
        run_.end();
        tell();
        run_.audience().on_change({});
        run_.registrants().on_answer({});
        return outcome;
    }

private:
    // All publish, then all subscribe and are shown the list.
    Result<void> prepare() {
        MUSTER_TRY(run_.connect(size_.publishers + size_.subscribers));
        for (std::uint32_t entry = 0; entry < size_.publishers; ++entry) {
            run_.registrants().say(entry, std::array{EntryName{.service = 0, .entry = entry}});
        }
        MUSTER_TRY(run_.await(
            {.what = "registering",
             .so_far = [&] { return size_.publishers - run_.registrants().open_requests(); },
             .total = size_.publishers}));
        const Run::Wish wish{.service = 0, .entries = static_cast<std::uint32_t>(size_.publishers)};
        for (std::size_t i = 0; i < size_.subscribers; ++i) {
            run_.subscribe(size_.publishers + i, std::array{wish});
        }
        return run_.await({.what = "subscribing",
                           .so_far = [&] { return run_.audience().shown(); },
                           .total = size_.publishers * size_.subscribers});
    }

    Result<void> change_all() {
        const std::uint64_t total = size_.rate * size_.seconds;
        const Phase changing{
            .what = "changing", .so_far = [&] { return changes_.begun(); }, .total = total};
        const Duration begin = load::now();
        for (std::uint64_t number = 0; number < total; ++number) {
            const Duration due =
                begin + std::chrono::nanoseconds(std::chrono::seconds(1)) * number / size_.rate;
            MUSTER_TRY(run_.pass_until(changing, due));
            const auto entry = static_cast<std::uint32_t>(number % size_.publishers);
            const auto version = static_cast<std::uint32_t>(number / size_.publishers + 2);
            changes_.begin(entry, version, due);
            run_.registrants().say(entry, std::array{EntryName{.service = 0, .entry = entry}});
        }
        took_ = load::now() - begin;
        MUSTER_TRY(run_.await(
            {.what = "answering", .so_far = [&] { return to_answer_.count(); }, .total = total}));
        const auto told =
            run_.try_await({.what = "telling",
                            .so_far = [&] { return changes_.begun() - changes_.open(); },
                            .total = total},
                           run_.registrants().refused() > 0 ? kPatienceWithRefused : kPatience);
        if (!told) {
            return std::unexpected(told.error());
        }
        run_.report().not_told = changes_.open();
        return {};
    }

    void tell() {
        auto& figures = run_.report().figures;
        figures.push_back(time_figure("change_to_each_subscriber", "change to each subscriber",
                                      changes_.to_each()));
        figures.push_back(time_figure("change_to_last_subscriber", "change to last subscriber",
                                      changes_.to_last()));
        figures.push_back(time_figure("change_to_answer", "change to its answer", to_answer_));
        figures.push_back(value_figure("changes_per_second", "changes",
                                       per_second(changes_.begun(), took_), "a second"));
    }

    Run& run_;
    PropagationSize size_;
    SpreadingChanges changes_;
    load::Latencies to_answer_;
    Duration took_{};
};

}  // namespace

Result<void> run_propagation(Run& run, const PropagationSize& size) {
    return Propagation(run, size).go();
}

}  // namespace muster::cli::bench
