#pragma once

#include "sim/checkers/truth.h"
#include "sim/world/registry.h"

namespace muster::sim {

// I7: what roles keep stays within what they were asked to keep, and at rest nothing is left over
// from clients that went, from queues or from streams that ended.
class BoundsChecker final : public Checker {
public:
    BoundsChecker(Truth& truth, Registry& registry) : Checker(truth), registry_(registry) {}

    // More services than these are never in use.
    void allow_services(std::size_t count) {
        services_max_ = count;
    }
    void step() override;
    void at_rest() override;

private:
    Registry& registry_;
    std::size_t services_max_ = 0;
};

}  // namespace muster::sim
