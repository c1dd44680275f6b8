#include "apps/muster/server/history_desk.h"

#include <utility>

namespace muster::cli {

HistoryDesk::HistoryDesk(msg::RoleAddress self, Incarnation life, Env env)
    : AskingDesk(std::move(self), life, env.asking.clock, env.timers),
      env_(std::move(env.asking)) {}

void HistoryDesk::ask(std::uint64_t token, propagation::HistoryQuestion question,
                      http::ClusterPort& port) {
    if (auto why = too_many(running_.size(), kRunningMax)) {
        refuse([token, why, &port] { port.on_history(token, std::unexpected(*why)); });
        return;
    }
    const auto asker = next_asker<propagation::Asker>();
    running_.begin(asker.number, {asker, env_, std::move(question)},
                   [token, &port](const auto& over) { port.on_history(token, over.report()); });
    go_on();
}

void HistoryDesk::take(const msg::RoleAddress& from, const msg::HistoryReply& reply) {
    running_.take(propagation::Asker::number_of(reply.request), from, reply);
    go_on();
}

}  // namespace muster::cli
