#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "apps/muster/server/asking_desk.h"
#include "apps/muster/server/running_ops.h"
#include "doors/http/cluster_face.h"
#include "doors/native/mark_face.h"
#include "roles/propagation/drain.h"
#include "roles/propagation/propagation.h"

namespace muster::cli {

// Asks for operators of this process who has been told what, and drains instances for them and for
// its clients (roles/propagation). Bounds: kRunningMax questions and kDrainsMax drains at once, of
// which kDrainsOfClientsMax for clients; one more is answered busy, each ends by itself.
class PropagationDesk final : public AskingDesk, public doors::MarkFace {
public:
    static constexpr std::size_t kRunningMax = 16;
    static constexpr std::size_t kDrainsMax = 256;
    static constexpr std::size_t kDrainsOfClientsMax = kDrainsMax / 2;

    struct Env {
        env::Timers& timers;  // bound to this by the owner
        propagation::AskingEnv asking;
    };
    PropagationDesk(msg::RoleAddress self, Incarnation life, Env env);

    // As http::ClusterFace::ask_propagation().
    void ask(std::uint64_t token, propagation::Question question, http::ClusterPort& port);

    // As http::ClusterFace::ask_mark().
    void ask(std::uint64_t token, propagation::DrainWish wish, http::ClusterPort& port);

    // For a client; operators are served beside however many of them.
    void ask_mark(propagation::DrainWish wish, Answer answer) override;

    // What came for this process.
    void take(const msg::RoleAddress& from, const msg::NewestReply& reply);
    void take(const msg::RoleAddress& from, const msg::MarkReply& reply);
    void take(const msg::ReachReply& reply);

private:
    void turn() override {
        running_.on_timer();
        draining_.on_timer();
    }
    [[nodiscard]] MonoTime due(MonoTime now) const override {
        return std::min(running_.due(now), draining_.due(now));
    }
    void begin_drain(propagation::DrainWish wish, Answer answer);
    void refuse_drain(Error why, Answer answer);
    [[nodiscard]] std::optional<Error> refusal(std::size_t running, std::size_t most) const;

    propagation::AskingEnv env_;
    // One numbering for both.
    RunningOps<propagation::Propagation> running_;
    RunningOps<propagation::Drain> draining_;
    std::size_t of_clients_ = 0;  // of draining_
};

}  // namespace muster::cli
