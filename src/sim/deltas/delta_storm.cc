#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "sim/deltas/delta_run.h"

// What happens in a storm.
namespace muster::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::uint64_t kStormChanges = 2500;

}  // namespace

DeltaRun::Weather DeltaRun::draw_weather() {
    const auto one_of = [&](std::initializer_list<std::uint64_t> values) {
        return *(values.begin() + prng_.below(values.size()));
    };
    Weather weather{.changes = std::min(kStormChanges, options_.changes - outcome_.changes),
                    .pace = microseconds(one_of({60, 200, 600, 2000})),
                    .breaks = one_of({0, 10, 50, 200}),
                    .stalls = one_of({0, 50, 300}),
                    .sweeps = one_of({0, 0, 10}),
                    .stall_max = milliseconds(one_of({5, 100, 1000, 7000}))};
    network_.faults.lost = one_of({0, 0, 20, 200});
    network_.faults.doubled = one_of({0, 0, 100});
    network_.faults.late = one_of({0, 0, 100});
    network_.faults.late_max = milliseconds(50);
    return weather;
}

void DeltaRun::storm() {
    const Weather weather = draw_weather();
    const std::uint64_t end = outcome_.changes + weather.changes;
    while (outcome_.changes < end && outcome_.failure.empty()) {
        auto& service = book_.services()[prng_.below(book_.services().size())];
        if (prng_.below(10'000) < weather.sweeps) {
            sweep(service);
        } else {
            change_one(service);
        }
        if (prng_.below(10'000) < weather.breaks) {
            break_connection();
        }
        if (prng_.below(10'000) < weather.stalls) {
            stall_connection(weather.stall_max);
        }
        pass(Duration(prng_.between(0, 2 * weather.pace.count())));
    }
    network_.faults = {};
}

ByteClient& DeltaRun::some_client() {
    // Two of three times a subscriber: when a publisher goes, much changes for all.
    auto& clients = prng_.chance(1, 3) && options_.publishers_return ? publishers_ : subscribers_;
    return *clients[prng_.below(clients.size())];
}

// Either end may hear of it seconds later than the other one.
void DeltaRun::break_connection() {
    const env::ConnId conn = some_client().conn();
    const auto late = [&] {
        return prng_.chance(1, 4) ? milliseconds(prng_.between(0, 3000)) : milliseconds(1);
    };
    if (conn.raw() != 0) {
        ++outcome_.connections_broken;
        net_.reset(conn, {.here = late(), .peer = late()});
    }
}

// The client reads late, or the session hears late: of acknowledgements, among others.
void DeltaRun::stall_connection(Duration at_most) {
    const env::ConnId conn = some_client().conn();
    const env::ConnId reader = prng_.chance(1, 2) ? conn : net_.peer_of(conn);
    net_.stall(reader, Duration(prng_.between(0, at_most.count())));
}

// ---- changes

client::PublicationSpec DeltaRun::spec(const Service& service) {
    const std::uint64_t number = ++contents_;
    return {.service = service,
            .boxes = {fmt::format("10.{}.{}.{}:12200?weight={}&n={}", number >> 16U & 0xFFU,
                                  number >> 8U & 0xFFU, number & 0xFFU, prng_.below(100), number)},
            .attributes = {},
            .zone = {},
            .app = {}};
}

void DeltaRun::publish(Book::ServiceBook& service) {
    const std::size_t publisher = prng_.below(kPublishers);
    auto made = spec(service.service);
    std::string content = made.boxes.front();
    const auto id = publishers_[publisher]->role().register_publication(std::move(made));
    CHECK(id.has_value());
    service.entries.push_back({.id = *id, .publisher = publisher, .content = std::move(content)});
}

void DeltaRun::update(Book::ServiceBook& service, std::size_t at) {
    Book::Entry& entry = service.entries[at];
    auto made = spec(service.service);
    entry.content = made.boxes.front();
    CHECK(publishers_[entry.publisher]->role().update(entry.id, std::move(made)).has_value());
}

void DeltaRun::withdraw(Book::ServiceBook& service, std::size_t at) {
    const Book::Entry gone = std::exchange(service.entries[at], service.entries.back());
    service.entries.pop_back();
    CHECK(publishers_[gone.publisher]->role().unregister(gone.id).has_value());
}

void DeltaRun::change_one(Book::ServiceBook& service) {
    ++outcome_.changes;
    const std::size_t size = service.entries.size();
    const std::uint64_t draw = prng_.below(10);
    const bool grows = size == 0 || (size * 10 < service.usual_size * 8 ? draw < 6 : draw < 2);
    const bool shrinks = size * 10 > service.usual_size * 12 ? draw > 3 : draw > 7;
    if (grows) {
        publish(service);
    } else if (shrinks) {
        withdraw(service, prng_.below(size));
    } else {
        update(service, prng_.below(size));
    }
}

// A rollout, or its end: much of a list changes at once.
void DeltaRun::sweep(Book::ServiceBook& service) {
    const bool shrinks = prng_.chance(1, 2);
    for (std::size_t at = service.entries.size(); at-- > 0;) {
        if (prng_.chance(2, 3)) {
            ++outcome_.changes;
            shrinks ? withdraw(service, at) : update(service, at);
        }
    }
}

}  // namespace muster::sim
