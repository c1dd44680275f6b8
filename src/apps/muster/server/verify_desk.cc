#include "apps/muster/server/verify_desk.h"

#include <algorithm>
#include <utility>

namespace muster::cli {
namespace {

constexpr env::TimerKey kGoOn(0);

}  // namespace

VerifyDesk::VerifyDesk(msg::RoleAddress self, Incarnation life, Env env)
    : self_(std::move(self)), life_(life), env_(std::move(env)) {}

void VerifyDesk::ask(std::uint64_t token, http::ClusterPort& port) {
    if (auto why = refusal()) {
        refused_.push_back({.by = {token, &port}, .why = *std::move(why)});
    } else {
        const std::uint64_t number = ++last_number_;
        const auto [at, is_new] = running_.emplace(
            number,
            Running{.by = {token, &port},
                    .verification = verify::Verification(
                        {.self = self_, .life = life_, .number = number},
                        {.clock = env_.clock, .outbox = env_.outbox, .known = env_.known})});
        at->second.verification.begin();
    }
    arm();
}

std::optional<Error> VerifyDesk::refusal() const {
    if (running_.size() >= kRunningMax) {
        return Error{Errc::busy, std::to_string(kRunningMax) +
                                     " verifications run here already; each ends within seconds"};
    }
    if (env_.known().table.slots.empty()) {
        return Error{Errc::not_ready, "no slot table is known here yet"};
    }
    return std::nullopt;
}

void VerifyDesk::take(const msg::RoleAddress& from, const msg::VerifyReply& reply) {
    const auto found = running_.find(verify::Verification::number_of(reply.request));
    if (found != running_.end()) {
        found->second.verification.take(from, reply);
        answer_done();
        arm();
    }
}

void VerifyDesk::take(const msg::VerifySessionReply& reply) {
    const auto found = running_.find(verify::Verification::number_of(reply.request));
    if (found != running_.end()) {
        found->second.verification.take(reply);
        answer_done();
        arm();
    }
}

void VerifyDesk::on_timer(env::TimerKey /*key*/) {
    for (const Refused& refused : std::exchange(refused_, {})) {
        refused.by.port->on_verify(refused.by.token, std::unexpected(refused.why));
    }
    for (auto& [number, running] : running_) {
        running.verification.on_timer();
    }
    answer_done();
    arm();
}

void VerifyDesk::answer_done() {
    for (auto at = running_.begin(); at != running_.end();) {
        if (!at->second.verification.done()) {
            ++at;
            continue;
        }
        const Running over = std::move(at->second);
        at = running_.erase(at);
        over.by.port->on_verify(over.by.token, over.verification.report());
    }
}

void VerifyDesk::arm() {
    std::optional<MonoTime> due;
    if (!refused_.empty()) {
        due = env_.clock.mono();
    }
    for (const auto& [number, running] : running_) {
        due = std::min(due.value_or(MonoTime::max()), running.verification.due());
    }
    if (due) {
        env_.timers.arm(kGoOn, std::max(*due - env_.clock.mono(), Duration::zero()));
    }
}

}  // namespace muster::cli
