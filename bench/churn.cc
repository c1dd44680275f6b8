#include "churn.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "process.h"
#include "sockets.h"

namespace muster::bench {
namespace {

constexpr Duration kPatience = std::chrono::seconds(60);
constexpr Duration kSettling = std::chrono::seconds(30);
constexpr auto kFirstList = sdk::Milliseconds(10'000);
constexpr std::uint16_t kProviderPort = 12'200;
constexpr std::uint64_t kGuestPorts = 50'000;
constexpr std::string_view kSaid = "said=";

template <typename T>
T value_or_die(sdk::Result<T> result, const char* what) {
    if (!result) {
        die(fmt::format("{}: {}", what, result.error().to_string()));
    }
    return std::move(result).value();
}

// The moment in a box of the churn; zero: the box is not of the churn.
std::int64_t said_at(std::string_view box) {
    const auto at = box.find(kSaid);
    std::int64_t ns = 0;
    if (at != std::string_view::npos) {
        const std::string_view digits = box.substr(at + kSaid.size());
        std::from_chars(digits.data(), digits.data() + digits.size(), ns);
    }
    return ns;
}

}  // namespace

Churn::Churn(const std::string& servers, const ChurnSize& size)
    : size_(size), seen_(size.subscribers, std::vector<Seen>(size.services)), said_(size.services) {
    sdk::Options options;
    options.servers = servers;
    options.services_file = "";
    options.log_level = MUSTER_LOG_ERROR;
    options.retry_max = sdk::Milliseconds(200);
    for (std::size_t s = 0; s < size_.services; ++s) {
        clients_.push_back(value_or_die(sdk::Client::open(options), "open a provider"));
        said_[s].last_ns = now().count();
        providers_.push_back(value_or_die(
            clients_.back().register_endpoint(state_of(s, said_[s].last_ns)), "register"));
        if (!providers_.back().await(kFirstList)) {
            die("a provider of the churn was not registered in 10 s");
        }
    }
    for (std::size_t c = 0; c < size_.subscribers; ++c) {
        clients_.push_back(value_or_die(sdk::Client::open(options), "open a subscriber"));
        for (std::size_t s = 0; s < size_.services; ++s) {
            subscriptions_.push_back(value_or_die(
                clients_.back().subscribe(
                    {.service = service(s),
                     .zone = {},
                     .on_list = [this, c, s](const sdk::List& list) { on_list(c, s, list); }}),
                "subscribe"));
        }
    }
    static_cast<void>(until_all_flow(now()));
    static_cast<void>(take_delays_ms());
}

Churn::~Churn() {
    for (const auto& client : clients_) {
        static_cast<void>(client.close());
    }
}

std::string Churn::service(std::size_t index) const {
    return fmt::format("bench.recovery.{}", index);
}

sdk::EndpointSpec Churn::state_of(std::size_t index, std::int64_t said_ns) const {
    sdk::EndpointSpec spec;
    spec.service = service(index);
    spec.boxes = {fmt::format("127.0.0.1:{}?{}{}", kProviderPort, kSaid, said_ns)};
    return spec;
}

void Churn::say_all() {
    for (std::size_t s = 0; s < size_.services; ++s) {
        const std::int64_t said_ns = now().count();
        {
            const std::lock_guard hold(mutex_);
            said_[s].last_ns = said_ns;
        }
        static_cast<void>(providers_[s].update(state_of(s, said_ns)));
    }
    come_or_leave(guests_++ % size_.services);
}

// Guests live at the client of another service's provider. Each has an address of its own: one that
// comes and goes so often would be damped.
void Churn::come_or_leave(std::size_t index) {
    Said& said = said_[index];
    if (!said.guest.empty()) {
        {
            const std::lock_guard hold(mutex_);
            said.guest.clear();
        }
        static_cast<void>(said.guest_registration.unregister());
        return;
    }
    sdk::EndpointSpec spec;
    spec.service = service(index);
    spec.boxes = {
        fmt::format("127.0.0.1:{}?guest={}", kProviderPort + 1 + guests_ % kGuestPorts, guests_)};
    {
        const std::lock_guard hold(mutex_);
        said.guest = spec.boxes.front();
    }
    said.guest_registration =
        value_or_die(clients_[(index + 1) % size_.services].register_endpoint(spec), "register");
}

void Churn::on_list(std::size_t subscriber, std::size_t index, const sdk::List& list) {
    const std::int64_t arrived = now().count();
    std::int64_t newest = 0;
    Boxes others;
    for (const sdk::Endpoint& endpoint : list.endpoints()) {
        const std::int64_t said = said_at(endpoint.box);
        newest = std::max(newest, said);
        if (said == 0) {
            others.emplace(endpoint.box);
        }
    }
    const std::lock_guard hold(mutex_);
    Seen& seen = seen_[subscriber][index];
    judge(seen, others, newest, said_[index], list.version());
    std::ranges::set_difference(seen.others, others, std::inserter(seen.gone, seen.gone.end()));
    if (newest > seen.newest_said_ns) {
        delays_ms_.push_back(static_cast<double>(arrived - newest) / 1e6);
        seen.newest_said_ns = newest;
    }
    if (seen.first_after_ns == 0 && newest >= since_) {
        seen.first_after_ns = arrived;
    }
    seen.version = list.version();
    seen.shown = seen.shown || newest != 0;
    seen.others = std::move(others);
}

void Churn::judge(const Seen& before, const Boxes& others, std::int64_t newest, const Said& said,
                  std::uint64_t version) {
    const bool guest_gone = before.others.contains(said.guest) && !others.contains(said.guest);
    if ((before.shown && newest == 0) || guest_gone) {
        ++verdict_.false_removals;
    }
    verdict_.resurrected += static_cast<std::uint64_t>(
        std::ranges::count_if(others, [&](const auto& box) { return before.gone.contains(box); }));
    const bool changed = newest != before.newest_said_ns || others != before.others;
    const bool older = newest != 0 && newest < before.newest_said_ns;
    if (older || (before.shown && changed && version <= before.version)) {
        ++verdict_.backward;
    }
}

void Churn::run(Duration how_long, Duration pace) {
    for (const Duration end = now() + how_long; now() < end;) {
        say_all();
        ::usleep(static_cast<useconds_t>(pace.count() / 1000));
    }
}

Duration Churn::until_all_flow(Duration since) {
    {
        const std::lock_guard hold(mutex_);
        since_ = since.count();
        for (auto& subscriber : seen_) {
            for (Seen& seen : subscriber) {
                seen.first_after_ns = 0;
            }
        }
    }
    while (now() - since < kPatience) {
        run(std::chrono::milliseconds(5), std::chrono::milliseconds(5));
        const std::lock_guard hold(mutex_);
        std::int64_t last = 0;
        bool all = true;
        for (const auto& subscriber : seen_) {
            for (const Seen& seen : subscriber) {
                all = all && seen.first_after_ns != 0;
                last = std::max(last, seen.first_after_ns);
            }
        }
        if (all) {
            return Duration(last) - since;
        }
    }
    die("changes did not reach all subscribers within a minute");
}

Duration Churn::until_gone(const std::string& mark, Duration since) {
    while (true) {
        run(std::chrono::milliseconds(20));
        bool any = false;
        {
            const std::lock_guard hold(mutex_);
            for (const auto& subscriber : seen_) {
                for (const Seen& seen : subscriber) {
                    any = any || std::ranges::any_of(seen.others, [&](const std::string& box) {
                              return box.contains(mark);
                          });
                }
            }
        }
        if (!any) {
            return now() - since;
        }
        if (now() - since > kPatience) {
            die("dead publications stayed for over a minute");
        }
    }
}

// Lists that are not what was said last. Requires: the mutex.
std::uint64_t Churn::unequal() const {
    std::uint64_t count = 0;
    for (const auto& subscriber : seen_) {
        for (std::size_t s = 0; s < size_.services; ++s) {
            const Boxes guests = said_[s].guest.empty() ? Boxes{} : Boxes{said_[s].guest};
            count +=
                subscriber[s].newest_said_ns != said_[s].last_ns || subscriber[s].others != guests
                    ? 1U
                    : 0U;
        }
    }
    return count;
}

Verdict Churn::take_verdict() {
    const Duration begin = now();
    while (true) {
        {
            const std::lock_guard hold(mutex_);
            const std::uint64_t left = unequal();
            if (left == 0 || now() - begin > kSettling) {
                verdict_.lost += left;
                return std::exchange(verdict_, {});
            }
        }
        ::usleep(20'000);
    }
}

std::vector<double> Churn::take_delays_ms() {
    const std::lock_guard hold(mutex_);
    return std::exchange(delays_ms_, {});
}

}  // namespace muster::bench
