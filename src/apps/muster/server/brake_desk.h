#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "doors/http/cluster_face.h"
#include "env/clock.h"
#include "env/timers.h"
#include "model/cluster.h"
#include "msg/outbox.h"

namespace muster::cli {

// Puts what operators want of the brake to all that may hold something: the data nodes, the session
// of this process, and the metas, which know the other sessions. Owned by the process; loop thread
// only. Bounds: kOpenMax questions, each for kPatience; more are answered as if nobody did.
class BrakeDesk final : public env::TimerTarget {
public:
    struct Env {
        env::Clock& clock;
        env::Timers& timers;                           // bound to this by the owner
        msg::Outbox& outbox;                           // of one role of this process
        std::function<std::vector<Member>()> members;  // as far as this process knows
    };
    // `session`: this process's; empty: it has none.
    BrakeDesk(Incarnation incarnation, std::vector<NodeId> metas, NodeId session, Env env);

    // As http::ClusterFace::ask_brake().
    void ask(std::uint64_t token, http::BrakeWish wish, http::ClusterPort& port);

    // What came for that role.
    void take(const msg::RoleAddress& from, const msg::BrakeReply& reply);

    void on_timer(env::TimerKey key) override;

private:
    static constexpr std::size_t kOpenMax = 64;
    static constexpr std::size_t kLinesMax = 10'000;
    static constexpr Duration kPatience = std::chrono::milliseconds(1500);
    static constexpr Duration kAskAgain = std::chrono::milliseconds(500);

    struct Question {
        std::uint64_t token = 0;
        http::ClusterPort* port = nullptr;
        http::BrakeWish wish;
        MonoTime asked;
        MonoTime put;                          // to them, last
        std::set<msg::RoleAddress> waits_for;  // sessions and data nodes
        bool metas_answered = false;
        http::BrakeOutcome outcome;
    };
    void put(std::uint64_t request, Question& question);
    void answer(std::uint64_t request);

    Incarnation incarnation_;
    std::vector<NodeId> metas_;
    NodeId session_;
    Env env_;
    std::map<std::uint64_t, Question> open_;  // by request
    std::uint64_t last_request_ = 0;
};

}  // namespace muster::cli
