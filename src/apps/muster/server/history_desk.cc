#include "apps/muster/server/history_desk.h"

#include <algorithm>
#include <utility>

namespace muster::cli {
namespace {

constexpr env::TimerKey kGoOn(0);

}  // namespace

HistoryDesk::HistoryDesk(msg::RoleAddress self, Incarnation life, Env env)
    : self_(std::move(self)), life_(life), env_(std::move(env)) {}

void HistoryDesk::ask(std::uint64_t token, propagation::HistoryQuestion question,
                      http::ClusterPort& port) {
    if (running_.size() >= kRunningMax) {
        refused_.push_back({token, &port});
        go_on();
        return;
    }
    const propagation::Asker asker{.self = self_, .life = life_, .number = ++last_number_};
    const auto [at, is_new] = running_.emplace(
        asker.number,
        Running{.by = {token, &port}, .op = {asker, env_.asking, std::move(question)}});
    at->second.op.begin();
    go_on();
}

void HistoryDesk::take(const msg::RoleAddress& from, const msg::HistoryReply& reply) {
    const auto found = running_.find(propagation::Asker::number_of(reply.request));
    if (found != running_.end()) {
        found->second.op.take(from, reply);
        answer_done();
        go_on();
    }
}

void HistoryDesk::on_timer(env::TimerKey /*key*/) {
    for (const Asked& by : std::exchange(refused_, {})) {
        by.port->on_history(by.token,
                            fail(Errc::busy, std::to_string(kRunningMax) +
                                                 " such questions run here already; each ends "
                                                 "within its time"));
    }
    for (auto& [number, running] : running_) {
        running.op.on_timer();
    }
    answer_done();
    go_on();
}

void HistoryDesk::answer_done() {
    std::vector<Running> over;
    for (auto at = running_.begin(); at != running_.end();) {
        if (at->second.op.done()) {
            over.push_back(std::move(at->second));
            at = running_.erase(at);
        } else {
            ++at;
        }
    }
    for (const Running& one : over) {
        one.by.port->on_history(one.by.token, one.op.report());
    }
}

// What is over already is answered from a turn of its own.
void HistoryDesk::go_on() {
    const MonoTime now = env_.asking.clock.mono();
    MonoTime due = refused_.empty() ? MonoTime::max() : now;
    for (const auto& [number, running] : running_) {
        due = std::min(due, running.op.done() ? now : running.op.due());
    }
    if (due != MonoTime::max()) {
        env_.timers.arm(kGoOn, std::max(due - now, Duration::zero()));
    }
}

}  // namespace muster::cli
