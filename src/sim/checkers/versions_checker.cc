#include "sim/checkers/versions_checker.h"

#include <fmt/format.h>

namespace muster::sim {
namespace {

constexpr auto kName = "I2 never backwards";

}  // namespace

void VersionsChecker::on_pushed(const Listener& listener, const Shown* held, const Shown& pushed) {
    const bool known = listener.tells_held || (held != nullptr && held->server == pushed.server &&
                                               held->life == pushed.life);
    if (known && held != nullptr && pushed.version < held->version) {
        truth_.report(kName,
                      fmt::format("{} has version {} and was pushed {}", listener.text(),
                                  held->version.raw(), pushed.version.raw()),
                      {listener.service.data_id});
    }
}

void VersionsChecker::on_shown(const Listener& listener, const Shown* before, const Shown& now) {
    if (before != nullptr && now.version < before->version) {
        truth_.report(kName,
                      fmt::format("{} went from version {} to {}", listener.text(),
                                  before->version.raw(), now.version.raw()),
                      {listener.service.data_id});
    }
    if (!now.complete) {
        return;
    }
    std::vector<std::pair<RegistId, std::string>> content;
    content.reserve(now.publications.size());
    for (const auto& [id, publication] : now.publications) {
        content.emplace_back(id, publication->boxes.front());
    }
    const std::string zone = listener.scope == Scope::zone ? listener.zone : "";
    const auto [known, inserted] =
        told_.try_emplace({now.server, listener.service.data_id, zone, now.version}, content);
    if (!inserted && known->second != content) {
        truth_.report(kName,
                      fmt::format("version {} of {} means different lists, the second to {}",
                                  now.version.raw(), listener.service.data_id, listener.text()),
                      {listener.service.data_id});
    }
}

}  // namespace muster::sim
