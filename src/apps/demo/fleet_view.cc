#include "apps/demo/fleet_view.h"

#include <chrono>
#include <ctime>
#include <sstream>

#include <fmt/format.h>

namespace muster::demo {
namespace {

std::string clock_text(std::uint64_t at_ns) {
    const auto ago = std::chrono::nanoseconds(muster_now_ns() - at_ns);
    const std::time_t then = std::chrono::system_clock::to_time_t(
        std::chrono::system_clock::now() -
        std::chrono::duration_cast<std::chrono::system_clock::duration>(ago));
    std::tm parts{};
    ::localtime_r(&then, &parts);
    return fmt::format("{:02}:{:02}:{:02}", parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string age_text(std::uint64_t since_ns) {
    const std::uint64_t ms = (muster_now_ns() - since_ns) / 1'000'000;
    return ms < 10'000 ? fmt::format("{}.{} s", ms / 1000, ms % 1000 / 100)
                       : fmt::format("{} s", ms / 1000);
}

}  // namespace

std::string change_text(const Change& change) {
    std::string text = clock_text(change.at_ns) + " " + change.text;
    if (change.latency_us) {
        const bool gone = change.text.starts_with('-');
        text += fmt::format("  (told {} us after its {})", *change.latency_us,
                            gone ? "kill" : "process was started");
    }
    return text;
}

std::string lists_text(const Sightings& sightings) {
    std::string text;
    for (const auto& [service, seen] : sightings.services()) {
        text += fmt::format("{:<10} {} providers, list version {}{}\n", service,
                            seen.providers.size(), seen.version, seen.stale ? ", from cache" : "");
        for (const auto& [name, provider] : seen.providers) {
            text +=
                fmt::format("  {:<12} {:<18} zone {:<3} version {:<4} {}\n", name, provider.address,
                            provider.zone, provider.version, age_text(provider.since_ns));
        }
    }
    return text;
}

std::string screen_text(const Sightings& sightings, const Fleet& fleet, std::size_t rows) {
    std::string text = fmt::format(
        "\x1b[1mMuster\x1b[0m  registry {}  HTTP http://{}  (Ctrl-C ends everything)\n\n",
        fleet.registry(), fleet.console());
    text += "\x1b[1mWho is where\x1b[0m\n" + lists_text(sightings);
    text += "\n\x1b[1mLast changes\x1b[0m  one provider is killed or started every few seconds\n";
    std::size_t used = 0;
    for (const char c : text) {
        used += c == '\n' ? 1U : 0U;
    }
    const auto changes = sightings.changes();
    const std::size_t room = rows > used + 1 ? rows - used - 1 : 1;
    const std::size_t from = changes.size() > room ? changes.size() - room : 0;
    for (std::size_t i = changes.size(); i > from; --i) {
        const bool gone = changes[i - 1].text.starts_with('-');
        text += (gone ? "\x1b[31m" : "\x1b[32m") + change_text(changes[i - 1]) + "\x1b[0m\n";
    }
    // Each line ends by clearing what was there; below the last one everything is cleared.
    std::string screen = "\x1b[H";
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        screen += line + "\x1b[K\r\n";
    }
    return screen + "\x1b[J";
}

}  // namespace muster::demo
