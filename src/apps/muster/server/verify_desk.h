#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "apps/muster/server/asking_desk.h"
#include "apps/muster/server/running_ops.h"
#include "doors/http/cluster_face.h"
#include "msg/outbox.h"
#include "roles/verify/verification.h"

namespace muster::cli {

// Runs the verifications that operators ask of this process. Bounds: kRunningMax at once, one more
// is answered busy; each ends by itself (verify::VerificationOptions).
class VerifyDesk final : public AskingDesk {
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

private:
    void turn() override {
        running_.on_timer();
    }
    [[nodiscard]] MonoTime due(MonoTime now) const override {
        return running_.due(now);
    }
    [[nodiscard]] std::optional<Error> refusal() const;

    verify::VerificationEnv env_;
    RunningOps<verify::Verification> running_;
};

}  // namespace muster::cli
