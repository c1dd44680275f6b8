#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "apps/muster/server/brake_desk.h"
#include "apps/muster/server/history_desk.h"
#include "apps/muster/server/last_known.h"
#include "apps/muster/server/propagation_desk.h"
#include "apps/muster/server/verify_desk.h"
#include "base/time.h"
#include "doors/http/cluster_face.h"
#include "env/clock.h"
#include "env/timers.h"
#include "msg/outbox.h"

namespace muster::cli {

// Puts what operators want to the metas, under the name of one role of this process: asks all of
// them, and again until the leading one has answered. When none does, a report is answered with
// what this node knows. Owned by the process; loop thread only.
// Bounds: kOpenMax questions, each for kPatience; more are answered busy.
class OperatorDesk final : public http::ClusterFace, public env::TimerTarget {
public:
    struct Env {
        env::Clock& clock;
        env::Timers& timers;  // bound to this by the owner
        msg::Outbox& outbox;  // of that role
        BrakeDesk& brakes;
        VerifyDesk& verifications;
        PropagationDesk& propagations;
        HistoryDesk& histories;
        std::function<LastKnown()> last_known;
    };
    OperatorDesk(NodeId self, Incarnation incarnation, std::vector<NodeId> metas, Env env);

    void ask_cluster(std::uint64_t token, msg::OperatorRequest::What what,
                     http::ClusterPort& port) override;

    void ask_brake(std::uint64_t token, http::BrakeWish wish, http::ClusterPort& port) override {
        env_.brakes.ask(token, std::move(wish), port);
    }
    void ask_verify(std::uint64_t token, http::ClusterPort& port) override {
        env_.verifications.ask(token, port);
    }
    void ask_propagation(std::uint64_t token, propagation::Question wish,
                         http::ClusterPort& port) override {
        env_.propagations.ask(token, std::move(wish), port);
    }
    void ask_mark(std::uint64_t token, propagation::DrainWish wish,
                  http::ClusterPort& port) override {
        env_.propagations.ask(token, std::move(wish), port);
    }

    void ask_history(std::uint64_t token, propagation::HistoryQuestion question,
                     http::ClusterPort& port) override {
        env_.histories.ask(token, std::move(question), port);
    }

    // What came for that role.
    void take(const msg::OperatorReply& reply);

    void on_timer(env::TimerKey key) override;

private:
    static constexpr std::size_t kOpenMax = 64;
    static constexpr Duration kPatience = std::chrono::seconds(10);
    static constexpr Duration kStaleAfter = std::chrono::seconds(2);
    static constexpr Duration kAskAgain = std::chrono::milliseconds(100);

    struct Question {
        std::uint64_t token = 0;
        http::ClusterPort* port = nullptr;
        msg::OperatorRequest::What what;
        MonoTime asked;
        MonoTime put;          // to the metas, last
        bool refused = false;  // answered busy at the next turn
    };
    void put(std::uint64_t request, Question& question);
    [[nodiscard]] std::optional<http::ClusterAnswer> answer_without_metas(
        const Question& question) const;

    NodeId self_;
    Incarnation incarnation_;
    std::vector<NodeId> metas_;
    Env env_;
    std::map<std::uint64_t, Question> open_;  // by request
    std::uint64_t last_request_ = 0;
};

}  // namespace muster::cli
