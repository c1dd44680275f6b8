#pragma once

#include "sim/checkers/truth.h"

namespace muster::sim {

// I1: at rest every listener's view is complete and equals, contents compared, the live
// publications of its scope; every watcher sees the value last put.
class ConvergesChecker final : public Checker {
public:
    using Checker::Checker;
    void at_rest() override;
};

}  // namespace muster::sim
