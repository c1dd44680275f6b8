#pragma once

#include <set>
#include <utility>

#include "sim/checkers/truth.h"

namespace muster::sim {

// I5: a publication that had ended when it disappeared from a view does not come back into it.
// Excused as in I3: a client whose connection was lost shortly before its end has two
// disappearances on their way. So is a client that had moved: the session it left may have missed
// its end, and say what it knows until it finds the connection closed or the lease over. And the
// views of a listener that crossed a cut, see Truth::crossed(), or begins anew, as in I8.
class ResurrectionChecker final : public Checker {
public:
    using Checker::Checker;
    void on_shown(const Listener& listener, const Shown* before, const Shown& now) override;

private:
    std::set<std::pair<Listener, RegistId>> buried_;
};

}  // namespace muster::sim
