#pragma once

#include <cstdint>

#include "apps/muster/server/asking_desk.h"
#include "apps/muster/server/running_ops.h"
#include "doors/http/cluster_face.h"
#include "roles/propagation/history.h"

namespace muster::cli {

// Asks for operators of this process what became of a service's instances (roles/propagation).
// Bounds: kRunningMax questions at once, one more is answered busy; each ends by itself.
class HistoryDesk final : public AskingDesk {
public:
    static constexpr std::size_t kRunningMax = 16;

    struct Env {
        env::Timers& timers;  // bound to this by the owner
        propagation::AskingEnv asking;
    };
    HistoryDesk(msg::RoleAddress self, Incarnation life, Env env);

    // As http::ClusterFace::ask_history().
    void ask(std::uint64_t token, propagation::HistoryQuestion question, http::ClusterPort& port);

    // What came for this process.
    void take(const msg::RoleAddress& from, const msg::HistoryReply& reply);

private:
    void turn() override {
        running_.on_timer();
    }
    [[nodiscard]] MonoTime due(MonoTime now) const override {
        return running_.due(now);
    }

    propagation::AskingEnv env_;
    RunningOps<propagation::History> running_;
};

}  // namespace muster::cli
