#pragma once

#include "sim/checkers/truth.h"
#include "sim/world/registry.h"

namespace muster::sim {

// I1 for the lists of sessions: what they fold from changes is what its leader says it is. A
// session mends it by the whole list, so that no view would show it for long.
class FoldsChecker final : public Checker {
public:
    FoldsChecker(Truth& truth, Registry& registry) : Checker(truth), registry_(registry) {}

    // A story alters changes on their way.
    void allow() {
        allowed_ = true;
    }
    void step() override;
    void at_rest() override {
        step();
    }

private:
    Registry& registry_;
    bool allowed_ = false;
};

}  // namespace muster::sim
