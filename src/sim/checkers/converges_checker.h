#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/checkers/truth.h"

namespace muster::sim {

// I1: at rest every listener's view is complete and equals, contents compared, the live
// publications of its scope; every watcher sees the value last put.
class ConvergesChecker final : public Checker {
public:
    using Checker::Checker;
    void at_rest() override;

    // What differs first, in words; nothing when all views are as they should be.
    struct Difference {
        std::string what;
        std::vector<std::string> words;
    };
    [[nodiscard]] std::optional<Difference> difference() const;
};

}  // namespace muster::sim
