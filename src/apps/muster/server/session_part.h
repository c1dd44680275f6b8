#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "apps/muster/server/foundation.h"
#include "doors/bolt/bolt_door.h"
#include "doors/bolt/bolt_port.h"
#include "doors/native/native_door.h"
#include "roles/session/session.h"
#include "runtime/disk/file_disk.h"

namespace muster::cli {

// The session role of a process, with the doors of its clients' port.
//
//   sockets - TcpNet - BoltPort -+- BoltDoor (Java) --- SessionServer - bus
//                                `- NativeDoor --------'     folder session/
//
// Loop thread only.
class SessionPart {
public:
    // Listens for clients. `peer_address`: where other nodes reach this process. Errors: those of
    // env::Net::listen, with the key to change.
    [[nodiscard]] static Result<std::unique_ptr<SessionPart>> create(
        Foundation& base, const std::string& peer_address);

    // Reads whom an earlier life had, and begins to talk to the metas.
    void start() {
        role_->start();
    }
    // Told the members whenever other ones are known, also those an earlier life kept.
    std::function<void(const std::vector<Member>&)> on_members;

    // Where drains go that clients ask for; outlives this.
    void put_marks_to(doors::MarkFace& marks) {
        native_->put_marks_to(&marks);
    }

    // Hands the clients over to other sessions, if there are any, then calls `gone` once.
    void leave(std::function<void()> gone);
    // The process is about to end, politely.
    void stop();

    [[nodiscard]] session::SessionServer& role() {
        return *role_;
    }
    // Why it serves nobody now; none: it does.
    [[nodiscard]] std::optional<std::string> not_ready() const;
    [[nodiscard]] const env::SocketAddress& listening() const {
        return listening_;
    }
    void write_metrics(MetricsWriter& writer) const;

private:
    explicit SessionPart(Foundation& base);
    void make_role(Foundation& base, const std::string& peer_address);

    runtime::FileDisk disk_;
    runtime::LoopTimers timers_;
    std::unique_ptr<msg::Outbox> outbox_;
    std::unique_ptr<session::SessionServer> role_;
    std::unique_ptr<doors::BoltDoor> bolt_;
    std::unique_ptr<doors::NativeDoor> native_;
    runtime::LoopTimers port_timers_;
    doors::BoltPort port_;
    env::SocketAddress listening_;
};

}  // namespace muster::cli
