#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "env/clock.h"
#include "model/cluster.h"
#include "msg/outbox.h"
#include "msg/verify.h"
#include "roles/verify/comparison.h"
#include "roles/verify/report.h"

namespace muster::verify {

struct VerificationOptions {
    // Who does not answer for so long is named as silent, and not asked again.
    Duration patience = std::chrono::milliseconds(1500);
    // What was not answered is asked again after so long.
    Duration ask_again = std::chrono::milliseconds(400);
    // Before the second round, doubled before each one after it.
    Duration pause = std::chrono::milliseconds(25);
    std::uint32_t rounds_max = 6;
    // No new round begins after so long.
    Duration deadline = std::chrono::seconds(3);
};

// What is known of the cluster where it is asked.
struct Known {
    SlotTable table;
    std::vector<Member> members;
};

struct VerificationEnv {
    const env::Clock& clock;
    msg::Outbox& outbox;
    std::function<Known()> known;
};

// One verification: asks all data servers and sessions, in rounds, until nothing is open; then by
// which name the first difference goes.
//
//   asking --all answered, or patience over--> pausing --> asking ...     while something is open
//     |                                                                   and rounds are left
//     `--nothing open--> naming services --> naming publications --> done
//
// The owner passes answers to take() and calls on_timer() when due(). Loop thread only. Bounds:
// VerificationOptions; one answer of each node is kept.
class Verification {
public:
    // Who asks, and under which number; the owner gives no number twice in one life.
    struct Asker {
        msg::RoleAddress self;
        Incarnation life;
        std::uint64_t number = 0;
    };

    Verification(Asker asker, VerificationEnv env, VerificationOptions options = {});

    // Requires: a table is known.
    void begin();
    // The number of the verification that is answered by `request`.
    [[nodiscard]] static std::uint64_t number_of(std::uint64_t request) {
        return request >> kStepBits;
    }
    void take(const msg::RoleAddress& from, const msg::VerifyReply& reply);
    void take(const msg::VerifySessionReply& reply);
    void on_timer();

    [[nodiscard]] bool done() const {
        return phase_ == Phase::done;
    }
    // When on_timer() is to be called. Requires: not done.
    [[nodiscard]] MonoTime due() const;
    // Requires: done.
    [[nodiscard]] const Report& report() const {
        return report_;
    }

private:
    enum class Phase : std::uint8_t { asking, pausing, naming_service, naming_publication, done };

    // Rounds and the naming of what differs are steps with requests of their own.
    static constexpr unsigned kStepBits = 8;

    void begin_step(std::set<msg::RoleAddress> asked);
    void ask();
    void ask(const msg::RoleAddress& to, msg::VerifyRequest request);
    void answered(const msg::RoleAddress& who);
    void end_step();
    void end_round();
    void name_difference();
    void end_naming();
    void finish();
    [[nodiscard]] std::uint64_t request() const {
        return asker_.number << kStepBits | step_;
    }

    Asker asker_;
    VerificationEnv env_;
    VerificationOptions options_;
    Phase phase_ = Phase::pausing;
    MonoTime began_;
    MonoTime step_began_;
    MonoTime asked_at_;
    MonoTime go_on_at_;
    Duration pause_{};
    std::uint64_t step_ = 0;
    std::set<msg::RoleAddress> nodes_;    // to ask; without those found silent
    std::set<msg::RoleAddress> awaited_;  // of this step
    std::set<msg::RoleAddress> silent_;
    std::uint64_t passed_on_ = 0;  // counts what goes through data servers, so that they take turns
    std::vector<SlotId> slots_;    // of this round; empty: all
    Answers answers_;
    Comparison comparison_;
    Report report_;
    // Of the first difference: its leader's lines, then the other one's.
    msg::VerifyRequest::Detail wish_;
    std::array<msg::VerifyDetail, 2> lines_;
};

}  // namespace muster::verify
