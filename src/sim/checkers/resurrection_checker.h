#pragma once

#include <map>
#include <unordered_set>

#include "sim/checkers/truth.h"

namespace muster::sim {

// I5: a publication that had ended, or was drained, when it disappeared from a view does not come
// back into it, before an operator restores it.
// Excused as in I3: a client whose connection was lost shortly before its end has two
// disappearances on their way. So is a client that had moved: the session it left may have missed
// its end, and say what it knows until it finds the connection closed or the lease over. And the
// views of a listener that crossed a cut, see Truth::crossed(), or begins anew, as in I8.
class ResurrectionChecker final : public Checker {
public:
    using Checker::Checker;
    void on_shown(const Listener& listener, const Shown* before, const Shown& now) override;

private:
    std::map<Listener, std::unordered_set<RegistId>> buried_;
};

}  // namespace muster::sim
