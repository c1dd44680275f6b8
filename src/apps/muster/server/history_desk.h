#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "doors/http/cluster_face.h"
#include "env/timers.h"
#include "roles/propagation/history.h"

namespace muster::cli {

// Asks for operators of this process what became of a service's instances (roles/propagation),
// under the name of one of its roles. Owned by the process; loop thread only.
// Bounds: kRunningMax questions at once, one more is answered busy; each ends by itself.
class HistoryDesk final : public env::TimerTarget {
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

    void on_timer(env::TimerKey key) override;

private:
    struct Asked {
        std::uint64_t token = 0;
        http::ClusterPort* port = nullptr;
    };
    struct Running {
        Asked by;
        propagation::History op;
    };
    void answer_done();
    void go_on();

    msg::RoleAddress self_;
    Incarnation life_;
    Env env_;
    std::map<std::uint64_t, Running> running_;  // by number
    std::vector<Asked> refused_;                // answered at the next turn
    std::uint64_t last_number_ = 0;
};

}  // namespace muster::cli
