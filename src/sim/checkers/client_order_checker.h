#pragma once

#include <cstddef>
#include <map>
#include <unordered_map>

#include "sim/checkers/truth.h"

namespace muster::sim {

// I8: the states of one publication are shown in the order its client gave them, none that it did
// not give. That the last one stays is I1. Excused: see Truth::crossed(). A listener that begins
// anew says that it holds nothing: its session may be a moment behind the one that told it when it
// listened before, and nobody knows what that was.
class ClientOrderChecker final : public Checker {
public:
    using Checker::Checker;
    void on_shown(const Listener& listener, const Shown* before, const Shown& now) override;

private:
    std::map<Listener, std::unordered_map<RegistId, std::size_t>> newest_;
};

}  // namespace muster::sim
