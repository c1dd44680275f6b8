#include "sim/checkers/converges_checker.h"

#include <fmt/format.h>

namespace muster::sim {
namespace {

std::string difference_of(const std::map<RegistId, std::string>& expected, const Shown& shown,
                          std::vector<std::string>& words) {
    std::string text;
    for (const auto& [id, content] : expected) {
        const auto seen = shown.publications.find(id);
        if (seen == shown.publications.end()) {
            text += fmt::format(" misses {}", id.raw());
            words.push_back(id.raw());
        } else if (seen->second->boxes != std::vector{content}) {
            text += fmt::format(" has {} in place of {} of {}", seen->second->boxes.front(),
                                content, id.raw());
            words.push_back(id.raw());
        }
    }
    for (const auto& [id, publication] : shown.publications) {
        if (!expected.contains(id)) {
            text += fmt::format(" still has {}", id.raw());
            words.push_back(id.raw());
        }
    }
    return text;
}

}  // namespace

std::optional<ConvergesChecker::Difference> ConvergesChecker::difference() const {
    for (const auto& [listener, shown] : truth_.listeners()) {
        std::vector<std::string> words{listener.service.data_id, listener.client};
        if (!shown) {
            return Difference{listener.text() + " was shown nothing", words};
        }
        const auto text = difference_of(truth_.expected(listener), *shown, words);
        if (!text.empty()) {
            return Difference{listener.text() + text, words};
        }
        if (!shown->complete) {
            return Difference{listener.text() + " was shown an incomplete list", words};
        }
    }
    for (const auto& [who, seen] : truth_.watches()) {
        const auto put = truth_.configs().find(who.second);
        const std::string expected = put == truth_.configs().end() ? "" : put->second;
        if (!seen || *seen != expected) {
            return Difference{fmt::format("watcher {} of {} sees '{}' in place of '{}'", who.first,
                                          who.second, seen.value_or("nothing"), expected),
                              {who.first, who.second}};
        }
    }
    return std::nullopt;
}

void ConvergesChecker::at_rest() {
    if (auto found = difference()) {
        truth_.report("I1 converges", std::move(found->what), std::move(found->words));
    }
}

}  // namespace muster::sim
