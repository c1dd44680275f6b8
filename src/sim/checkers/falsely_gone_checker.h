#pragma once

#include "sim/checkers/truth.h"

namespace muster::sim {

// I3: what a listener was shown, and whose client lives and did not withdraw it, stays in its view,
// unless an operator drained it.
// Excused, until the client is back and for Truth::kExcused more: the publications of a client
//   - whose connection a living session lost, because the network reset it, because it was silent
//     for too long, or because the client gave it up, unless it did so while that session stood
//     still;
//   - that did not come back to a restarted session within the grace, or, when it gave the
//     connection up while the session stood still, within the grace from the moment at which that
//     session noticed. The grace is counted in the time that the session ran; "back" is having all
//     its publications acknowledged on a connection to that life of the session. Where the session
//     ended, nobody can tell a client that came back behind a cut from one that died: until every
//     data server can hear its new session it is not back;
//   - of which a living session heard nothing until its lease was over: one that is cut off looks
//     like one that died;
//   - that a living session sent away, to a session with fewer clients, and that reached none
//     within the time for which the session keeps what such a client published: it cannot tell one
//     that is cut off from all sessions from one that died on its way;
//   - that a session holds back because it came and went there too often, where there are others:
//     it was shown by another session, and that one lost it.
// And the views of a listener that crossed a cut: see Truth::crossed().
class FalselyGoneChecker final : public Checker {
public:
    using Checker::Checker;
    void on_shown(const Listener& listener, const Shown* before, const Shown& now) override;
};

}  // namespace muster::sim
