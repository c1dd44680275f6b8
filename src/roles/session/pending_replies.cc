#include "roles/session/pending_replies.h"

#include <utility>

#include "base/check.h"

namespace muster::session {

WaiterId PendingReplies::open(env::ConnId conn, msg::RequestReply reply, std::size_t writes,
                              MonoTime deadline) {
    CHECK(writes > 0);
    const WaiterId waiter(++last_);
    open_.emplace(waiter, Open{conn, std::move(reply), writes, deadline});
    return waiter;
}

void PendingReplies::done(WaiterId waiter, const Answer& answer) {
    const auto found = open_.find(waiter);
    if (found == open_.end() || --found->second.writes > 0) {
        return;
    }
    const Open open = std::move(found->second);
    open_.erase(found);
    answer(open.conn, open.reply);
}

void PendingReplies::expire(MonoTime now, const Answer& answer) {
    while (!open_.empty() && open_.begin()->second.deadline <= now) {
        const Open open = std::move(open_.begin()->second);
        open_.erase(open_.begin());
        answer(open.conn, open.reply);
    }
}

std::set<env::ConnId> PendingReplies::waiting() const {
    std::set<env::ConnId> conns;
    for (const auto& [waiter, open] : open_) {
        conns.insert(open.conn);
    }
    return conns;
}

}  // namespace muster::session
