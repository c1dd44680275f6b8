#pragma once

#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "sim/checkers/truth.h"

namespace muster::sim {

// I2: the version a listener sees never falls, over all connections, sessions, restarts and clocks,
// and no session pushes it one below what it was told by that life of that session or said it has
// (another one cannot know: a Java client says nothing, and ignores such a push; that it does not
// stay behind is I1). One version
// of a list always means the same content to everybody whom one session tells. (Two sessions may
// merge what a leader that is not settled says into different lists they had before; that no client
// stays with one is I1.)
class VersionsChecker final : public Checker {
public:
    using Checker::Checker;
    void on_pushed(const Listener& listener, const Shown* held, const Shown& pushed) override;
    void on_shown(const Listener& listener, const Shown* before, const Shown& now) override;

private:
    // (session, service, zone or nothing, version) -> the complete content told under it.
    std::map<std::tuple<std::string, std::string, std::string, Version>,
             std::vector<std::pair<RegistId, std::string>>>
        told_;
};

}  // namespace muster::sim
