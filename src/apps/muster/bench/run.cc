#include "apps/muster/bench/run.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "apps/load/machine.h"
#include "apps/load/native_frames.h"

namespace muster::cli::bench {
namespace {

// Subscriptions of one request.
constexpr std::size_t kSubscribingBatch = 500;
constexpr Duration kStepPatience = std::chrono::seconds(30);
constexpr Duration kCleaning = std::chrono::seconds(20);
// A server that answers nothing for so long while all is taken back is given up.
constexpr Duration kCleaningStep = std::chrono::seconds(5);

double seconds(Duration duration) {
    return static_cast<double>(duration.count()) / 1e9;
}

}  // namespace

Run::Run(std::vector<Address> servers, Speech speech, std::uint32_t random, Surroundings around,
         Report& report)
    : names_(random),
      around_(std::move(around)),
      report_(report),
      dialect_(dialect_of(speech, names_)),
      crowd_(std::move(servers), *dialect_, *this, around_.stop) {
    crowd_.on_turn([this] { tell_progress(); });
    report_.run = names_.run();
}

Result<std::size_t> Run::connect(std::size_t count) {
    const std::size_t first = crowd_.size();
    const std::size_t before = crowd_.connected();
    crowd_.connect(count);
    MUSTER_TRY(await({.what = "connecting",
                      .so_far = [&] { return crowd_.connected() - before; },
                      .total = count}));
    return first;
}

void Run::subscribe(std::size_t conn, std::span<const Wish> wishes) {
    while (!wishes.empty()) {
        const auto batch = wishes.first(std::min(wishes.size(), kSubscribingBatch));
        wishes = wishes.subspan(batch.size());
        msg::Subscribe request{.request = registrants_.next_request()};
        for (const Wish& wish : batch) {
            audience_.watch(conn, wish.service, wish.entries);
            request.items.push_back(
                {.subscription = {
                     .id = RegistId(fmt::format("{}-c{}-s{}", names_.run(), conn, wish.service)),
                     .service = std::make_shared<const Service>(names_.service(wish.service)),
                     .order = {.version = static_cast<std::int64_t>(request.request.raw()),
                               .timestamp_ms = load::wall_ms()},
                     .scope = Scope::data_center}});
        }
        crowd_.say(conn, request);
    }
}

void Run::unsubscribe(std::size_t conn, std::uint32_t service) {
    msg::Unsubscribe request{.request = registrants_.next_request()};
    request.items.push_back({.id = RegistId(fmt::format("{}-c{}-s{}", names_.run(), conn, service)),
                             .service = std::make_shared<const Service>(names_.service(service)),
                             .order = {.version = static_cast<std::int64_t>(request.request.raw()),
                                       .timestamp_ms = load::wall_ms()}});
    audience_.forget(conn, service);
    crowd_.say(conn, request);
}

void Run::on_push(std::size_t conn, const msg::Push& push, Duration at) {
    crowd_.say(conn, audience_.take(conn, push, at));
    if (on_list_) {
        if (const auto service = names_.service_number(push.view->service->data_id)) {
            on_list_(conn, *service, at);
        }
    }
}

void Run::on_reply(std::size_t /*conn*/, std::uint32_t request,
                   const Result<msg::RequestReply>& reply, Duration at) {
    if (registrants_.take(request, reply, at)) {
        return;
    }
    if (!reply) {
        refused_wish_ = reply.error();
        return;
    }
    for (const auto& outcome : reply->outcomes) {
        if (!outcome.result) {
            refused_wish_ = outcome.result.error();
        }
    }
}

void Run::tell_progress() {
    if (phase_ != nullptr) {
        around_.progress(
            fmt::format("{}: {} of {}", phase_->what, phase_->so_far(), phase_->total));
    }
}

Result<Crowd::Ended> Run::run(const Phase& phase, Duration deadline) {
    phase_ = &phase;
    auto ended =
        crowd_.run([&] { return refused_wish_ || phase.so_far() >= phase.total; }, deadline);
    phase_ = nullptr;
    if (ended && refused_wish_) {
        return std::unexpected(wrap("a subscription was refused", *refused_wish_));
    }
    if (ended && *ended == Crowd::Ended::stopped) {
        stopped_ = true;
        return fail(Errc::closed, "stopped");
    }
    return ended;
}

Result<bool> Run::try_await(const Phase& phase, Duration patience) {
    const auto ended = run(phase, load::now() + patience);
    if (!ended) {
        return std::unexpected(ended.error());
    }
    return *ended == Crowd::Ended::done;
}

Result<void> Run::await(const Phase& phase) {
    while (true) {
        const std::uint64_t before = phase.so_far();
        const auto done = try_await(phase, kStepPatience);
        if (!done) {
            return std::unexpected(done.error());
        }
        if (*done) {
            return {};
        }
        if (phase.so_far() == before) {
            break;
        }
    }
    std::string why;
    if (registrants_.refused() > 0) {
        why = "; the server refused: " + registrants_.why_refused();
    }
    return fail(Errc::timeout,
                fmt::format("{} came no further than {} of {} in {:.0f} s{}", phase.what,
                            phase.so_far(), phase.total, seconds(kStepPatience), why));
}

Result<void> Run::pass_until(const Phase& phase, Duration then) {
    phase_ = &phase;
    const auto ended = crowd_.run([] { return false; }, then);
    phase_ = nullptr;
    if (!ended) {
        return std::unexpected(ended.error());
    }
    if (*ended == Crowd::Ended::stopped) {
        stopped_ = true;
        return fail(Errc::closed, "stopped");
    }
    return {};
}

Run::Mark Run::mark() const {
    return {.at = load::now(),
            .cpu = load::own_cpu(),
            .sent = crowd_.bytes_sent(),
            .received = crowd_.bytes_received(),
            .pushes = audience_.pushes(),
            .whole_pushes = audience_.whole_pushes(),
            .server = around_.server_figures()};
}

void Run::begin() {
    begun_ = mark();
    begun_->at = load::now();  // asking took some
}

void Run::end() {
    if (!begun_) {
        return;
    }
    const Duration at = load::now();
    const Mark after = mark();
    const Mark before = *std::exchange(begun_, std::nullopt);
    report_.seconds += seconds(at - before.at);
    report_.own_cpu_seconds += seconds(after.cpu - before.cpu);
    report_.own_rss_bytes = static_cast<double>(load::own_rss_bytes());
    report_.bytes_sent += after.sent - before.sent;
    report_.bytes_received += after.received - before.received;
    report_.pushes += after.pushes - before.pushes;
    report_.whole_pushes += after.whole_pushes - before.whole_pushes;
    if (before.server && after.server && before.server->started != after.server->started) {
        report_.notes.emplace_back(
            "a process of the server was restarted meanwhile: what the server took is not known");
    } else if (before.server && after.server) {
        const double cpu_before = report_.server ? report_.server->cpu_seconds : 0;
        report_.server = after.server;
        report_.server->cpu_seconds += cpu_before - before.server->cpu_seconds;
    }
}

void Run::clean() {
    crowd_.forgive();
    report_.false_removals += audience_.false_removals();
    report_.backward += audience_.backward();
    report_.refused = registrants_.refused();
    if (report_.refused > 0) {
        report_.notes.push_back("the server refused: " + registrants_.why_refused());
    }
    const Duration deadline = load::now() + kCleaning;
    const std::uint64_t all = registrants_.alive();
    std::uint64_t left = all;
    const Phase leaving{.what = "taking back what was registered",
                        .so_far = [&] { return all - left; },
                        .total = all};
    phase_ = &leaving;
    while (left > 0 && load::now() < deadline) {
        registrants_.leave_some();
        const auto answered = crowd_.run([&] { return !registrants_.waits(); },
                                         std::min(deadline, load::now() + kCleaningStep));
        const std::uint64_t now_left = registrants_.alive();
        if (!answered || now_left == left) {
            break;
        }
        left = now_left;
    }
    phase_ = nullptr;
    report_.left_behind += left;
    if (left > 0) {
        report_.notes.push_back(fmt::format(
            "{} entries of {} could not be taken back; their connections are closed now, so the "
            "server removes them by itself, after a minute where its brake holds them",
            left, names_.run()));
    }
}

}  // namespace muster::cli::bench
