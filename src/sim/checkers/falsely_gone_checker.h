#pragma once

#include "sim/checkers/truth.h"

namespace muster::sim {

// I3: what a listener was shown, and whose client lives and did not withdraw it, stays in its view.
// Excused, for Truth::kExcused: the publications of a client whose connection a living session
// lost (reset by the network, or silent for too long), unless that session stood still just before;
// and of a client that did not come back to a restarted session within its grace.
class FalselyGoneChecker final : public Checker {
public:
    using Checker::Checker;
    void on_shown(const Listener& listener, const Shown* before, const Shown& now) override;
};

}  // namespace muster::sim
