#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "apps/muster/server/brake_desk.h"
#include "apps/muster/server/foundation.h"
#include "apps/muster/server/history_desk.h"
#include "apps/muster/server/last_known.h"
#include "apps/muster/server/operator_desk.h"
#include "apps/muster/server/propagation_desk.h"
#include "apps/muster/server/verify_desk.h"

namespace muster::cli {

// The desks of a process, where what operators ask of the cluster goes out and comes back, under
// the name of one of its roles. Loop thread only.
class Desks {
public:
    // `base` outlives this; `serves_clients`: the process has a session.
    Desks(Foundation& base, bool serves_clients, std::function<LastKnown()> known);

    [[nodiscard]] http::ClusterFace& cluster() {
        return operators_;
    }
    [[nodiscard]] doors::MarkFace& marks() {
        return propagations_;
    }
    // Whether what came for a role of this process was the answer to a desk, which has taken it.
    bool take(const msg::RoleAddress& from, const msg::ClusterMessage& message);

private:
    [[nodiscard]] std::vector<Member> members() const;
    [[nodiscard]] propagation::AskingEnv asking();

    Foundation& base_;
    std::function<LastKnown()> known_;
    msg::RoleAddress self_;
    std::unique_ptr<msg::Outbox> outbox_;
    runtime::LoopTimers brake_timers_;
    BrakeDesk brakes_;
    runtime::LoopTimers verify_timers_;
    VerifyDesk verifications_;
    runtime::LoopTimers propagation_timers_;
    PropagationDesk propagations_;
    runtime::LoopTimers history_timers_;
    HistoryDesk histories_;
    runtime::LoopTimers operator_timers_;
    OperatorDesk operators_;
};

}  // namespace muster::cli
