#include <array>
#include <vector>

#include "apps/load/machine.h"
#include "apps/muster/bench/figures.h"
#include "apps/muster/bench/works.h"

namespace muster::cli::bench {
namespace {

// After all have been answered, until a list counts as not told.
constexpr Duration kPatience = std::chrono::seconds(30);

class Storm {
public:
    Storm(Run& run, const StormSize& size) : run_(run), size_(size), shown_(size.clients, 0) {}

    Result<void> go() {
        run_.crowd().on_open([this](std::size_t client) { begin_one(client); });
        run_.registrants().on_answer(
            [this](const Registrants::Answer&) { to_registered_.add(load::now() - begun_); });
        run_.audience().on_change([this](const Audience::Change& change) { told(change); });
        run_.begin();
        begun_ = load::now();
        auto outcome = serve_all();
        run_.end();
        run_.crowd().on_open({});
        run_.registrants().on_answer({});
        run_.audience().on_change({});
        auto& figures = run_.report().figures;
        figures.push_back(
            time_figure("start_to_registered", "start to registered, each", to_registered_));
        figures.push_back(
            time_figure("start_to_whole_list", "start to the whole list, each", to_whole_));
        figures.push_back(value_figure("clients_per_second", "clients served",
                                       per_second(to_whole_.count(), took_), "a second"));
        return outcome;
    }

private:
    [[nodiscard]] EntryName name_of(std::size_t client) const {
        return {.service = static_cast<std::uint32_t>(client % size_.services),
                .entry = static_cast<std::uint32_t>(client / size_.services)};
    }
    [[nodiscard]] std::uint32_t entries_of(std::uint32_t service) const {
        return static_cast<std::uint32_t>((size_.clients - service + size_.services - 1) /
                                          size_.services);
    }

    // Each publishes one entry of a service and watches the same service.
    void begin_one(std::size_t client) {
        const EntryName name = name_of(client);
        run_.registrants().say(client, std::array{name});
        const Run::Wish wish{.service = name.service, .entries = entries_of(name.service)};
        run_.subscribe(client, std::array{wish});
    }

    void told(const Audience::Change& change) {
        if (change.from == 0 && ++shown_[change.conn] == entries_of(change.service)) {
            to_whole_.add(change.at - begun_);
            took_ = change.at - begun_;
        }
    }

    Result<void> serve_all() {
        MUSTER_TRY(run_.connect(size_.clients));
        MUSTER_TRY(run_.await({.what = "registering",
                               .so_far = [&] { return to_registered_.count(); },
                               .total = size_.clients}));
        const auto all = run_.try_await({.what = "telling",
                                         .so_far = [&] { return to_whole_.count(); },
                                         .total = size_.clients},
                                        kPatience);
        if (!all) {
            return std::unexpected(all.error());
        }
        run_.report().not_told = size_.clients - to_whole_.count();
        return {};
    }

    Run& run_;
    StormSize size_;
    std::vector<std::uint32_t> shown_;  // entries, by client
    Duration begun_{};
    Duration took_{};
    load::Latencies to_registered_;
    load::Latencies to_whole_;
};

}  // namespace

Result<void> run_storm(Run& run, const StormSize& size) {
    return Storm(run, size).go();
}

}  // namespace muster::cli::bench
