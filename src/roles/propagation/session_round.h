#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "base/time.h"
#include "env/clock.h"
#include "model/cluster.h"
#include "msg/outbox.h"

namespace muster::propagation {

// What is known of the cluster where it is asked.
struct Known {
    SlotTable table;
    std::vector<Member> members;

    // Who leads the slot of `service`; empty: nobody that is known.
    [[nodiscard]] NodeId leader_of(const Service& service) const;
    // Data servers and sessions that are not dead.
    [[nodiscard]] std::set<NodeId> living(Role role) const;
};

struct AskingOptions {
    // Who does not answer for so long is named as silent.
    Duration patience = std::chrono::milliseconds(1500);
    // What was not answered is asked again after so long.
    Duration ask_again = std::chrono::milliseconds(250);
};

struct AskingEnv {
    const env::Clock& clock;
    msg::Outbox& outbox;
    std::function<Known()> known;
};

// Who asks, and under which number; the owner gives no number twice in one life.
struct Asker {
    msg::RoleAddress self;
    Incarnation life;
    std::uint64_t number = 0;

    // An op has a request for each of its turns.
    static constexpr unsigned kTurnBits = 16;

    [[nodiscard]] std::uint64_t request(std::uint64_t turn = 0) const {
        return number << kTurnBits | (turn & ((1U << kTurnBits) - 1));
    }
    // The number of the op that is answered by `request`.
    [[nodiscard]] static std::uint64_t number_of(std::uint64_t request) {
        return request >> kTurnBits;
    }
};

// One question to all sessions at once: how far are their subscribers of a service?
//
//   asking --all answered, or patience over--> done
//
// The owner passes answers to take() and calls on_timer() when due(). Loop thread only. Bounds: one
// answer of each session, ReachRequest::kLimitMax lines in it.
class SessionRound {
public:
    // `question` as it is asked, but for whom it is for.
    SessionRound(const Asker& asker, const AskingEnv& env, const AskingOptions& options,
                 msg::ReachRequest question);

    void begin();
    void take(const msg::ReachReply& reply);
    void on_timer();

    [[nodiscard]] bool done() const {
        return over_;
    }
    // When on_timer() is to be called. Requires: not done.
    [[nodiscard]] MonoTime due() const;

    // By session. Requires: done.
    [[nodiscard]] const std::map<NodeId, msg::ReachReply>& answers() const {
        return answers_;
    }
    [[nodiscard]] const std::set<NodeId>& silent() const {
        return awaited_;
    }

private:
    void ask();
    void ask(const NodeId& session);

    Asker asker_;
    AskingEnv env_;
    AskingOptions options_;
    msg::ReachRequest question_;
    MonoTime began_;
    MonoTime asked_at_;
    std::vector<NodeId> ways_;     // data servers that pass questions on
    std::uint64_t passed_on_ = 0;  // counts what does, so that they take turns
    std::set<NodeId> awaited_;
    std::map<NodeId, msg::ReachReply> answers_;
    bool over_ = false;
};

}  // namespace muster::propagation
