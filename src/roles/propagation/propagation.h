#pragma once

#include <optional>

#include "roles/propagation/report.h"
#include "roles/propagation/session_round.h"

namespace muster::propagation {

struct Question {
    ServicePtr service;
    std::uint32_t limit = 100;  // lines of the report
    // Above zero: all sessions measure the service's changes for so long, at most kMeasureMax.
    Duration measure = {};

    static constexpr Duration kMeasureMax =
        std::chrono::milliseconds(msg::ReachRequest::kMeasureMsMax);
};

// Who has the newest version of a service: asks its leader for that, then all sessions for their
// subscribers of it.
//
//   asking the leader --answered, or patience over--> asking sessions --> done
//
// Without the leader's word each session compares with the newest it has itself, and the leader is
// named as silent. The owner passes answers to take() and calls on_timer() when due(). Loop thread
// only. Bounds: as SessionRound.
class Propagation {
public:
    Propagation(const Asker& asker, const AskingEnv& env, Question question,
                AskingOptions options = {});

    void begin();
    void take(const msg::RoleAddress& from, const msg::NewestReply& reply);
    void take(const msg::ReachReply& reply);
    void on_timer();

    [[nodiscard]] bool done() const {
        return round_ && round_->done();
    }
    // When on_timer() is to be called. Requires: not done.
    [[nodiscard]] MonoTime due() const;
    // Requires: done.
    [[nodiscard]] Report report() const;

private:
    void ask_leader();
    void ask_sessions();

    Asker asker_;
    AskingEnv env_;
    AskingOptions options_;
    Question question_;
    MonoTime began_;
    MonoTime asked_at_;
    NodeId leader_;
    std::optional<msg::NewestReply> newest_;
    std::optional<SessionRound> round_;
};

}  // namespace muster::propagation
