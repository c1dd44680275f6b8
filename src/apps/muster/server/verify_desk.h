#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "doors/http/cluster_face.h"
#include "env/clock.h"
#include "env/timers.h"
#include "msg/outbox.h"
#include "roles/verify/verification.h"

namespace muster::cli {

// Runs the verifications that operators ask of this process, under the name of one of its roles.
// Owned by the process; loop thread only. Bounds: kRunningMax at once, one more is answered busy;
// each ends by itself (verify::VerificationOptions).
class VerifyDesk final : public env::TimerTarget {
public:
    static constexpr std::size_t kRunningMax = 4;

    struct Env {
        env::Clock& clock;
        env::Timers& timers;  // bound to this by the owner
        msg::Outbox& outbox;  // of that role
        std::function<verify::Known()> known;
    };
    VerifyDesk(msg::RoleAddress self, Incarnation life, Env env);

    // As http::ClusterFace::ask_verify().
    void ask(std::uint64_t token, http::ClusterPort& port);

    // What came for this process.
    void take(const msg::RoleAddress& from, const msg::VerifyReply& reply);
    void take(const msg::VerifySessionReply& reply);

    void on_timer(env::TimerKey key) override;

private:
    struct Asked {
        std::uint64_t token = 0;
        http::ClusterPort* port = nullptr;
    };
    struct Running {
        Asked by;
        verify::Verification verification;
    };
    struct Refused {
        Asked by;
        Error why;
    };
    [[nodiscard]] std::optional<Error> refusal() const;
    void answer_done();
    void arm();

    msg::RoleAddress self_;
    Incarnation life_;
    Env env_;
    std::map<std::uint64_t, Running> running_;  // by number
    std::vector<Refused> refused_;              // answered at the next turn
    std::uint64_t last_number_ = 0;
};

}  // namespace muster::cli
