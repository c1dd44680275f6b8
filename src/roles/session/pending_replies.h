#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>

#include "base/time.h"
#include "env/net.h"
#include "msg/client.h"
#include "roles/session/write_queue.h"

namespace muster::session {

// Requests whose writes the slot leaders have not all acknowledged. Each is answered when the last
// one was, or at its deadline as accepted (design 2.2). Loop thread only.
class PendingReplies {
public:
    using Answer = std::function<void(env::ConnId, const msg::RequestReply&)>;

    // `reply` is given when done() was called `writes` times, or at the deadline. Deadlines must
    // come in order. Requires: writes > 0.
    WaiterId open(env::ConnId conn, msg::RequestReply reply, std::size_t writes, MonoTime deadline);

    void done(WaiterId waiter, const Answer& answer);
    void expire(MonoTime now, const Answer& answer);

    // The connections they came from.
    [[nodiscard]] std::set<env::ConnId> waiting() const;
    [[nodiscard]] bool empty() const {
        return open_.empty();
    }

private:
    struct Open {
        env::ConnId conn;
        msg::RequestReply reply;
        std::size_t writes = 0;
        MonoTime deadline;
    };

    std::map<WaiterId, Open> open_;
    std::uint64_t last_ = 0;
};

}  // namespace muster::session
