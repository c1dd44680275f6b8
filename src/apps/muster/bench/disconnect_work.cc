#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "apps/load/machine.h"
#include "apps/muster/bench/figures.h"
#include "apps/muster/bench/works.h"

namespace muster::cli::bench {
namespace {

class Disconnect {
public:
    Disconnect(Run& run, const DisconnectSize& size)
        : run_(run),
          size_(size),
          dropped_(std::max<std::uint64_t>(size.clients * size.share / 100, 1)),
          left_(dropped_, size.subscribers) {}

    Result<void> go() {
        MUSTER_TRY(prepare());
        run_.audience().on_change([this](const Audience::Change& change) { gone(change); });
        run_.begin();
        begun_ = load::now();
        for (std::uint64_t client = 0; client < dropped_; ++client) {
            const EntryName name = name_of(client);
            run_.audience().let_go(name.service, name.entry);
            run_.crowd().drop(client);
        }
        const auto told = run_.try_await({.what = "telling who went",
                                          .so_far = [&] { return to_last_.count(); },
                                          .total = dropped_},
                                         std::chrono::seconds(size_.seconds));
        run_.end();
        run_.audience().on_change({});
        tell();
        return told ? Result<void>{} : std::unexpected(told.error());
    }

private:
    [[nodiscard]] EntryName name_of(std::uint64_t client) const {
        return {.service = static_cast<std::uint32_t>(client % size_.services),
                .entry = static_cast<std::uint32_t>(client / size_.services)};
    }

    // Each client publishes one entry; each subscriber watches all services.
    Result<void> prepare() {
        MUSTER_TRY(run_.connect(size_.clients + size_.subscribers));
        for (std::uint64_t client = 0; client < size_.clients; ++client) {
            run_.registrants().say(client, std::array{name_of(client)});
        }
        MUSTER_TRY(run_.await(
            {.what = "registering",
             .so_far = [&] { return size_.clients - run_.registrants().open_requests(); },
             .total = size_.clients}));
        std::vector<Run::Wish> wishes;
        wishes.reserve(size_.services);
        for (std::uint32_t service = 0; service < size_.services; ++service) {
            const auto entries = (size_.clients - service + size_.services - 1) / size_.services;
            wishes.push_back({.service = service, .entries = static_cast<std::uint32_t>(entries)});
        }
        for (std::uint64_t i = 0; i < size_.subscribers; ++i) {
            run_.subscribe(size_.clients + i, wishes);
        }
        return run_.await({.what = "subscribing",
                           .so_far = [&] { return run_.audience().shown(); },
                           .total = size_.clients * size_.subscribers});
    }

    void gone(const Audience::Change& change) {
        const std::uint64_t client = change.entry * size_.services + change.service;
        if (change.to != 0 || client >= dropped_) {
            return;
        }
        to_each_.add(change.at - begun_);
        if (--left_[client] == 0) {
            to_last_.add(change.at - begun_);
            run_.registrants().forget(name_of(client));
        }
    }

    void tell() {
        Report& report = run_.report();
        report.figures.push_back(
            time_figure("disconnect_to_each_subscriber", "closing to each subscriber", to_each_));
        report.figures.push_back(
            time_figure("disconnect_to_last_subscriber", "closing to last subscriber", to_last_));
        report.figures.push_back(value_figure("disconnected", "connections closed at once",
                                              static_cast<double>(dropped_)));
        report.not_told = dropped_ - to_last_.count();
        if (report.not_told > 0) {
            report.notes.push_back(fmt::format(
                "{} of {} were still shown when it ended: at more than 10 % of a session's clients "
                "at once (brake.session.share) the brake holds them for a minute, and what else "
                "ends meanwhile; muster brake shows it",
                report.not_told, dropped_));
        }
    }

    Run& run_;
    DisconnectSize size_;
    std::uint64_t dropped_;
    std::vector<std::uint64_t> left_;  // subscribers, by client
    Duration begun_{};
    load::Latencies to_each_;
    load::Latencies to_last_;
};

}  // namespace

Result<void> run_disconnect(Run& run, const DisconnectSize& size) {
    return Disconnect(run, size).go();
}

}  // namespace muster::cli::bench
