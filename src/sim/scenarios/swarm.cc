#include "sim/scenarios/swarm.h"

#include <fmt/format.h>

namespace muster::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Off in half of all runs.
Duration sometimes(Prng& prng, Duration low, Duration high) {
    const bool on = prng.chance(1, 2);
    const Duration drawn(prng.between(low.count(), high.count()));
    return on ? drawn : Duration{};
}

std::uint64_t sometimes(Prng& prng, std::int64_t low, std::int64_t high) {
    const bool on = prng.chance(1, 2);
    const auto drawn = static_cast<std::uint64_t>(prng.between(low, high));
    return on ? drawn : 0;
}

// By a hand of its own: all else is drawn as it would be without it.
void draw_balance(Swarm& swarm, Prng prng) {
    if (swarm.sessions == 1 || prng.chance(1, 2)) {
        return;
    }
    swarm.balance_grace = milliseconds(prng.between(500, 8'000));
    swarm.session_added = sometimes(prng, seconds(1), seconds(15));
}

// The same.
void draw_damping(Swarm& swarm, Prng prng) {
    if (prng.chance(2, 3)) {
        return;
    }
    swarm.flips = static_cast<std::size_t>(prng.between(1, 3));
    swarm.flap_hold = milliseconds(prng.between(500, 6'000));
    swarm.flap = milliseconds(prng.between(200, 2'000));
}

// The same. So little that lists go in pieces, and some wait.
void draw_tells(Swarm& swarm, Prng prng) {
    if (prng.chance(1, 2)) {
        return;
    }
    swarm.tell_batch = static_cast<std::size_t>(prng.between(2, 12));
    swarm.tell_window = swarm.tell_batch * static_cast<std::size_t>(prng.between(1, 4));
}

}  // namespace

Swarm Swarm::draw(Prng& prng) {
    Swarm swarm;
    swarm.embedded = prng.chance(2, 5);
    swarm.slots = static_cast<std::uint16_t>(prng.between(1, 16));
    swarm.services = static_cast<int>(prng.between(1, 5));
    swarm.clients = static_cast<int>(prng.between(2, 7));
    swarm.native_percent = static_cast<int>(prng.between(0, 4)) * 25;
    swarm.storm = seconds(prng.between(15, 60));
    swarm.lost = sometimes(prng, 10, 1'000);
    swarm.doubled = sometimes(prng, 10, 1'000);
    swarm.late = sometimes(prng, 10, 1'000);
    swarm.late_max = milliseconds(prng.between(5, 3'000));
    swarm.sync_max = milliseconds(prng.chance(1, 4) ? prng.between(20, 400) : 5);
    swarm.act = milliseconds(prng.between(30, 500));
    swarm.reset = sometimes(prng, milliseconds(500), seconds(20));
    swarm.crash = sometimes(prng, seconds(3), seconds(25));
    swarm.power_off = sometimes(prng, seconds(10), seconds(40));
    swarm.pause = sometimes(prng, seconds(5), seconds(30));
    swarm.cut = sometimes(prng, seconds(3), seconds(30));
    swarm.clock_jump = sometimes(prng, seconds(2), seconds(20));
    swarm.client_crash = sometimes(prng, seconds(3), seconds(20));
    swarm.client_lost = sometimes(prng, seconds(5), seconds(30));
    swarm.client_pause = sometimes(prng, seconds(5), seconds(30));
    swarm.congestion = sometimes(prng, milliseconds(500), seconds(10));
    swarm.config = sometimes(prng, seconds(1), seconds(10));
    swarm.leases = prng.chance(1, 2);
    draw_damping(swarm, Prng(Prng(prng).next() ^ 2U));
    draw_tells(swarm, Prng(Prng(prng).next() ^ 4U));
    return swarm;
}

Swarm Swarm::draw_cluster(Prng& prng) {
    Swarm swarm = draw(prng);
    swarm.embedded = false;
    swarm.metas = prng.chance(2, 3) ? 3 : 1;
    swarm.data = static_cast<int>(prng.between(1, 4));
    swarm.sessions = static_cast<int>(prng.between(1, 3));
    swarm.copies = static_cast<int>(prng.between(1, 3));
    swarm.zones = static_cast<int>(prng.between(1, 3));
    swarm.clients =
        static_cast<int>(prng.chance(1, 10) ? prng.between(20, 50) : prng.between(2, 12));
    swarm.halves = sometimes(prng, seconds(8), seconds(40));
    // By a hand of its own: all else is drawn as it would be without it.
    swarm.brake = Prng(Prng(prng).next() ^ 1U).chance(1, 3);
    draw_balance(swarm, Prng(~Prng(prng).next()));
    return swarm;
}

Swarm Swarm::draw_full_cluster(Prng& prng) {
    Swarm swarm = draw_cluster(prng);
    swarm.metas = 3;
    swarm.data = 4;
    swarm.sessions = 3;
    swarm.clients = 50;
    return swarm;
}

std::string Swarm::text() const {
    const std::string shape =
        embedded ? "embedded"
                 : fmt::format("{} metas, {} data, {} sessions, {} copies, {} zones", metas, data,
                               sessions, copies, zones);
    std::string line = fmt::format(
        "{}, {} slots, {} services, {} clients ({}% native), storm {} s, disk to {} ms, an act "
        "each {} ms",
        shape, slots, services, clients, native_percent, to_ms(storm) / 1000, to_ms(sync_max),
        to_ms(act));
    const auto rate = [&](std::string_view name, std::uint64_t per_10000) {
        if (per_10000 > 0) {
            line += fmt::format(", {} {}/10000", name, per_10000);
        }
    };
    const auto each = [&](std::string_view name, Duration mean) {
        if (mean > Duration{}) {
            line += fmt::format(", {} each {} ms", name, to_ms(mean));
        }
    };
    line += leases ? ", leases" : "";
    line += brake ? ", brake" : "";
    rate("lost", lost);
    rate("doubled", doubled);
    rate("late", late);
    if (late > 0) {
        line += fmt::format(" to {} ms", to_ms(late_max));
    }
    each("reset", reset);
    each("crash", crash);
    each("power off", power_off);
    each("pause", pause);
    each("cut", cut);
    each("halves", halves);
    each("clock jump", clock_jump);
    each("client crash", client_crash);
    each("client machine lost", client_lost);
    each("client pause", client_pause);
    each("congestion", congestion);
    each("config put", config);
    if (balance_grace > Duration{}) {
        line += fmt::format(", balanced after {} ms", to_ms(balance_grace));
    }
    if (session_added > Duration{}) {
        line += fmt::format(", a session added at {} s", to_ms(session_added) / 1000);
    }
    if (flips > 0) {
        line += fmt::format(", flaps each {} ms, damped for {} ms after {} flips", to_ms(flap),
                            to_ms(flap_hold), flips);
    }
    if (tell_batch > 0) {
        line += fmt::format(", sessions told {} of {} at once", tell_batch, tell_window);
    }
    return line;
}

}  // namespace muster::sim
