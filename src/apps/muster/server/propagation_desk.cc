#include "apps/muster/server/propagation_desk.h"

#include <algorithm>
#include <utility>

namespace muster::cli {
namespace {

constexpr env::TimerKey kGoOn(0);

// Takes the ops that are done out of `running`; `answer` is told of each.
template <typename Running, typename Answer>
void take_done(std::map<std::uint64_t, Running>& running, const Answer& answer) {
    std::vector<Running> over;
    for (auto at = running.begin(); at != running.end();) {
        if (at->second.op.done()) {
            over.push_back(std::move(at->second));
            at = running.erase(at);
        } else {
            ++at;
        }
    }
    for (const Running& one : over) {
        answer(one);
    }
}

template <typename Running>
MonoTime first_due(const std::map<std::uint64_t, Running>& running, MonoTime due) {
    for (const auto& [number, one] : running) {
        due = std::min(due, one.op.due());
    }
    return due;
}

}  // namespace

PropagationDesk::PropagationDesk(msg::RoleAddress self, Incarnation life, Env env)
    : self_(std::move(self)), life_(life), env_(std::move(env)) {}

void PropagationDesk::ask(std::uint64_t token, propagation::Question question,
                          http::ClusterPort& port) {
    if (auto why = refusal(running_.size(), kRunningMax)) {
        refuse([token, why, &port] { port.on_propagation(token, std::unexpected(*why)); });
        return;
    }
    const propagation::Asker asker = next_asker();
    const auto [at, is_new] = running_.emplace(
        asker.number,
        Running{.by = {token, &port}, .op = {asker, env_.asking, std::move(question)}});
    at->second.op.begin();
    go_on();
}

void PropagationDesk::ask(std::uint64_t token, propagation::DrainWish wish,
                          http::ClusterPort& port) {
    if (auto why = refusal(draining_.size(), kDrainsMax)) {
        refuse([token, why, &port] { port.on_marked(token, std::unexpected(*why)); });
        return;
    }
    const propagation::Asker asker = next_asker();
    const auto [at, is_new] = draining_.emplace(
        asker.number, Draining{.by = {token, &port}, .op = {asker, env_.asking, std::move(wish)}});
    at->second.op.begin();
    go_on();
}

std::optional<Error> PropagationDesk::refusal(std::size_t running, std::size_t most) const {
    if (running >= most) {
        return Error{Errc::busy, std::to_string(most) +
                                     " such questions run here already; each ends within its time"};
    }
    if (env_.asking.known().table.slots.empty()) {
        return Error{Errc::not_ready, "no slot table is known here yet"};
    }
    return std::nullopt;
}

void PropagationDesk::refuse(std::function<void()> answer) {
    refused_.push_back(std::move(answer));
    go_on();
}

void PropagationDesk::take(const msg::RoleAddress& from, const msg::NewestReply& reply) {
    if (const auto found = running_.find(propagation::Asker::number_of(reply.request));
        found != running_.end()) {
        found->second.op.take(from, reply);
        answer_done();
        go_on();
    }
}

void PropagationDesk::take(const msg::RoleAddress& from, const msg::MarkReply& reply) {
    const auto found = draining_.find(propagation::Asker::number_of(reply.request));
    if (found != draining_.end()) {
        found->second.op.take(from, reply);
        answer_done();
        go_on();
    }
}

void PropagationDesk::take(const msg::ReachReply& reply) {
    const std::uint64_t number = propagation::Asker::number_of(reply.request);
    if (const auto found = running_.find(number); found != running_.end()) {
        found->second.op.take(reply);
    } else if (const auto drain = draining_.find(number); drain != draining_.end()) {
        drain->second.op.take(reply);
    }
    answer_done();
    go_on();
}

void PropagationDesk::on_timer(env::TimerKey /*key*/) {
    for (const auto& answer : std::exchange(refused_, {})) {
        answer();
    }
    for (auto& [number, running] : running_) {
        running.op.on_timer();
    }
    for (auto& [number, draining] : draining_) {
        draining.op.on_timer();
    }
    answer_done();
    go_on();
}

void PropagationDesk::answer_done() {
    take_done(running_, [](const Running& over) {
        over.by.port->on_propagation(over.by.token, over.op.report());
    });
    take_done(draining_, [](const Draining& over) {
        over.by.port->on_marked(over.by.token, over.op.outcome());
    });
}

// What is over already is answered from a turn of its own.
void PropagationDesk::go_on() {
    const MonoTime now = env_.asking.clock.mono();
    const auto over = [](const auto& item) { return item.second.op.done(); };
    const bool at_once = !refused_.empty() || std::ranges::any_of(running_, over) ||
                         std::ranges::any_of(draining_, over);
    const MonoTime due = at_once ? now : first_due(draining_, first_due(running_, MonoTime::max()));
    if (due != MonoTime::max()) {
        env_.timers.arm(kGoOn, std::max(due - now, Duration::zero()));
    }
}

}  // namespace muster::cli
