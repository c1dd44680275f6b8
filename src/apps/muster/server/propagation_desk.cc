#include "apps/muster/server/propagation_desk.h"

#include <utility>

namespace muster::cli {

PropagationDesk::PropagationDesk(msg::RoleAddress self, Incarnation life, Env env)
    : AskingDesk(std::move(self), life, env.asking.clock, env.timers),
      env_(std::move(env.asking)) {}

void PropagationDesk::ask(std::uint64_t token, propagation::Question question,
                          http::ClusterPort& port) {
    if (auto why = refusal(running_.size(), kRunningMax)) {
        refuse([token, why, &port] { port.on_propagation(token, std::unexpected(*why)); });
        return;
    }
    const auto asker = next_asker<propagation::Asker>();
    running_.begin(asker.number, {asker, env_, std::move(question)},
                   [token, &port](const auto& over) { port.on_propagation(token, over.report()); });
    go_on();
}

void PropagationDesk::ask(std::uint64_t token, propagation::DrainWish wish,
                          http::ClusterPort& port) {
    Answer answer = [token, &port](const auto& report) { port.on_marked(token, report); };
    if (auto why = refusal(draining_.size(), kDrainsMax)) {
        refuse_drain(*std::move(why), std::move(answer));
    } else {
        begin_drain(std::move(wish), std::move(answer));
    }
}

void PropagationDesk::ask_mark(propagation::DrainWish wish, Answer answer) {
    auto why = refusal(of_clients_, kDrainsOfClientsMax);
    if (!why) {
        why = refusal(draining_.size(), kDrainsMax);
    }
    if (why) {
        refuse_drain(*std::move(why), std::move(answer));
        return;
    }
    ++of_clients_;
    begin_drain(std::move(wish), [this, answer = std::move(answer)](const auto& report) {
        --of_clients_;
        answer(report);
    });
}

void PropagationDesk::refuse_drain(Error why, Answer answer) {
    refuse([why = std::move(why), answer = std::move(answer)] { answer(std::unexpected(why)); });
}

void PropagationDesk::begin_drain(propagation::DrainWish wish, Answer answer) {
    const auto asker = next_asker<propagation::Asker>();
    draining_.begin(asker.number, {asker, env_, std::move(wish)},
                    [answer = std::move(answer)](const auto& over) { answer(over.outcome()); });
    go_on();
}

std::optional<Error> PropagationDesk::refusal(std::size_t running, std::size_t most) const {
    if (auto why = too_many(running, most)) {
        return why;
    }
    if (env_.known().table.slots.empty()) {
        return Error{Errc::not_ready, "no slot table is known here yet"};
    }
    return std::nullopt;
}

void PropagationDesk::take(const msg::RoleAddress& from, const msg::NewestReply& reply) {
    running_.take(propagation::Asker::number_of(reply.request), from, reply);
    go_on();
}

void PropagationDesk::take(const msg::RoleAddress& from, const msg::MarkReply& reply) {
    draining_.take(propagation::Asker::number_of(reply.request), from, reply);
    go_on();
}

void PropagationDesk::take(const msg::ReachReply& reply) {
    const std::uint64_t number = propagation::Asker::number_of(reply.request);
    if (!running_.take(number, reply)) {
        draining_.take(number, reply);
    }
    go_on();
}

}  // namespace muster::cli
