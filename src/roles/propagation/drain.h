#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/mark.h"
#include "roles/propagation/report.h"
#include "roles/propagation/session_round.h"

namespace muster::propagation {

struct DrainWish {
    static constexpr Duration kTimeoutMax = std::chrono::minutes(10);

    ServicePtr service;
    std::string address;  // "ip:port"
    Mark::Kind kind = Mark::Kind::drained;
    Duration ramp{};                              // of what is restored
    Duration timeout = std::chrono::seconds(30);  // at most kTimeoutMax
    std::uint32_t limit = 100;                    // subscribers that are named
    std::string asked_by = {};                    // see model/asked_by.h

    // Errors: invalid_argument, with what was expected.
    [[nodiscard]] Result<void> check() const;
};

struct DrainReport {
    std::vector<RegistId> ids;  // the instances at the address
    std::uint32_t changed = 0;  // of them: by this wish
    std::uint32_t others = 0;   // instances that lists still show
    // Of a drain: everybody who is there acknowledged a list without them.
    bool confirmed = false;
    bool gone = false;            // they went meanwhile
    std::uint32_t copies = 0;     // data servers that have the mark; the leader is one
    std::vector<NodeId> lacking;  // followers that have not said so: not heirs to rely on
    Duration waited{};
    Report who;  // as of the last round; its lists are of those who have not acknowledged
};

// Marks instances as drained or restored, and waits for the drained ones to be in nobody's list,
// and for all copies of the slot to have the mark:
//
//   marking --refused, or all is done, or time over-------------------------------> done
//     | ^ `--some copy lacks it----.                                                 ^
//     |  `-----pause over----- pausing <--some are behind, or silent,                |
//     v                                   or some copy lacks it--.   all is done, or |
//   asking sessions, of what is drained -------------------------+---time over-------'
//
// Each turn marks anew, which changes nothing where the mark is: whoever leads by then has it. Once
// nobody has it in a list sessions are asked again only when the mark had been lost. Copies are
// waited for AskingOptions::patience from then on; those that lack it are named. The pauses are
// doubled, from kPauseMin to kPauseMax. The owner passes answers to take() and calls on_timer()
// when due(). Loop thread only. Bounds: as SessionRound.
class Drain {
public:
    static constexpr Duration kPauseMin = std::chrono::milliseconds(10);
    static constexpr Duration kPauseMax = std::chrono::milliseconds(320);

    Drain(const Asker& asker, const AskingEnv& env, DrainWish wish, AskingOptions options = {});

    void begin();
    void take(const msg::RoleAddress& from, const msg::MarkReply& reply);
    void take(const msg::ReachReply& reply);
    void on_timer();

    [[nodiscard]] bool done() const {
        return phase_ == Phase::done;
    }
    // When on_timer() is to be called. Requires: not done.
    [[nodiscard]] MonoTime due() const;
    // Requires: done. Errors: not_found (no such service, no such instance, none of them drained),
    // invalid_argument, over_limit, timeout (nobody who leads the slot answered).
    [[nodiscard]] const Result<DrainReport>& outcome() const {
        return outcome_;
    }

private:
    enum class Phase : std::uint8_t { marking, asking, pausing, done };

    void mark();
    void ask_leader();
    void ask_sessions();
    void end_round();
    void end_turn();
    void finish(Result<DrainReport> outcome);
    [[nodiscard]] std::uint64_t request() const {
        return asker_.request(turn_);
    }
    [[nodiscard]] MonoTime deadline() const {
        return began_ + wish_.timeout;
    }
    // Until when whoever leads is asked.
    [[nodiscard]] MonoTime patient_until() const;

    Asker asker_;
    AskingEnv env_;
    AskingOptions options_;
    DrainWish wish_;
    Phase phase_ = Phase::marking;
    std::uint64_t turn_ = 0;
    std::uint32_t asked_ = 0;  // how often, in this turn
    MonoTime began_;
    MonoTime asked_at_;
    MonoTime go_on_at_;
    Duration pause_ = kPauseMin;
    NodeId leader_;
    std::optional<Error> not_yet_;          // why the leader did not mark them
    LogPosition since_;                     // of the marks, as the leader said
    std::optional<MonoTime> copies_until_;  // set when only copies are waited for
    DrainReport report_;
    std::optional<SessionRound> round_;
    Result<DrainReport> outcome_;
};

}  // namespace muster::propagation
