#pragma once

#include <string>
#include <utility>
#include <vector>

namespace muster::sim {

// The first invariant that a run was seen to break.
class Violations {
public:
    struct Violation {
        std::string invariant;           // "I3 never falsely gone"
        std::string what;                // one sentence
        std::vector<std::string> words;  // what to look for in the trace
    };

    void report(std::string invariant, std::string what, std::vector<std::string> words) {
        if (!any_) {
            any_ = true;
            first_ = {std::move(invariant), std::move(what), std::move(words)};
        }
    }
    [[nodiscard]] bool any() const {
        return any_;
    }
    // Requires: any().
    [[nodiscard]] const Violation& first() const {
        return first_;
    }

private:
    bool any_ = false;
    Violation first_;
};

}  // namespace muster::sim
