#include "apps/muster/server/verify_desk.h"

#include <utility>

namespace muster::cli {

VerifyDesk::VerifyDesk(msg::RoleAddress self, Incarnation life, Env env)
    : AskingDesk(std::move(self), life, env.clock, env.timers),
      env_{.clock = env.clock, .outbox = env.outbox, .known = std::move(env.known)} {}

void VerifyDesk::ask(std::uint64_t token, http::ClusterPort& port) {
    if (auto why = refusal()) {
        refuse([token, why, &port] { port.on_verify(token, std::unexpected(*why)); });
        return;
    }
    const auto asker = next_asker<verify::Verification::Asker>();
    running_.begin(asker.number, {asker, env_},
                   [token, &port](const auto& over) { port.on_verify(token, over.report()); });
    go_on();
}

std::optional<Error> VerifyDesk::refusal() const {
    if (auto why = too_many(running_.size(), kRunningMax)) {
        return why;
    }
    if (env_.known().table.slots.empty()) {
        return Error{Errc::not_ready, "no slot table is known here yet"};
    }
    return std::nullopt;
}

void VerifyDesk::take(const msg::RoleAddress& from, const msg::VerifyReply& reply) {
    running_.take(verify::Verification::number_of(reply.request), from, reply);
    go_on();
}

void VerifyDesk::take(const msg::VerifySessionReply& reply) {
    running_.take(verify::Verification::number_of(reply.request), reply);
    go_on();
}

}  // namespace muster::cli
