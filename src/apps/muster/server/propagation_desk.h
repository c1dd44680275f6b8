#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "doors/http/cluster_face.h"
#include "env/clock.h"
#include "env/timers.h"
#include "msg/outbox.h"
#include "roles/propagation/drain.h"
#include "roles/propagation/propagation.h"

namespace muster::cli {

// Asks for operators of this process who has been told what, and drains instances
// (roles/propagation), under the name of one of its roles. Owned by the process; loop thread only.
// Bounds: kRunningMax questions and kDrainsMax drains at once, one more is answered busy; each ends
// by itself.
class PropagationDesk final : public env::TimerTarget {
public:
    static constexpr std::size_t kRunningMax = 16;
    static constexpr std::size_t kDrainsMax = 256;

    struct Env {
        env::Timers& timers;  // bound to this by the owner
        propagation::AskingEnv asking;
    };
    PropagationDesk(msg::RoleAddress self, Incarnation life, Env env);

    // As http::ClusterFace::ask_propagation().
    void ask(std::uint64_t token, propagation::Question question, http::ClusterPort& port);

    // As http::ClusterFace::ask_mark().
    void ask(std::uint64_t token, propagation::DrainWish wish, http::ClusterPort& port);

    // What came for this process.
    void take(const msg::RoleAddress& from, const msg::NewestReply& reply);
    void take(const msg::RoleAddress& from, const msg::MarkReply& reply);
    void take(const msg::ReachReply& reply);

    void on_timer(env::TimerKey key) override;

private:
    struct Asked {
        std::uint64_t token = 0;
        http::ClusterPort* port = nullptr;
    };
    struct Running {
        Asked by;
        propagation::Propagation op;
    };
    struct Draining {
        Asked by;
        propagation::Drain op;
    };
    [[nodiscard]] std::optional<Error> refusal(std::size_t running, std::size_t most) const;
    void refuse(std::function<void()> answer);
    [[nodiscard]] propagation::Asker next_asker() {
        return {.self = self_, .life = life_, .number = ++last_number_};
    }
    void answer_done();
    void go_on();

    msg::RoleAddress self_;
    Incarnation life_;
    Env env_;
    std::map<std::uint64_t, Running> running_;    // by number
    std::map<std::uint64_t, Draining> draining_;  // by number
    std::vector<std::function<void()>> refused_;  // answered at the next turn
    std::uint64_t last_number_ = 0;               // of both
};

}  // namespace muster::cli
