#pragma once

#include <memory>
#include <vector>

#include "apps/muster/server/foundation.h"
#include "doors/http/http_door.h"
#include "roles/session/session.h"

namespace muster::cli {

// What the HTTP port of a process shows. All outlive it.
struct HttpPartEnv {
    session::SessionServer* session = nullptr;  // null: the process serves no clients
    http::ClusterFace& cluster;
    http::MetricsSource metrics;
    std::vector<http::ReadinessCheck> readiness;
};

// The HTTP port of a process. Without a session it answers operators only: health, metrics and the
// cluster. Loop thread only.
class HttpPart {
public:
    HttpPart(Foundation& base, HttpPartEnv env);
    ~HttpPart();

    // Errors: those of env::Net::listen, with the key to change.
    [[nodiscard]] Result<void> listen();

    [[nodiscard]] const env::SocketAddress& listening() const {
        return listening_;
    }

private:
    class NoSession;

    Foundation& base_;
    std::unique_ptr<NoSession> no_session_;
    runtime::LoopTimers timers_;
    std::unique_ptr<http::HttpDoor> door_;
    env::SocketAddress listening_;
};

}  // namespace muster::cli
