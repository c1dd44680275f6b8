#include "apps/muster/server/brake_desk.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace muster::cli {
namespace {

constexpr env::TimerKey kAgain(0);

auto place_of(const msg::BrakeLine& line) {
    return std::tie(line.scope, line.name, line.node);
}

}  // namespace

BrakeDesk::BrakeDesk(Incarnation incarnation, std::vector<NodeId> metas, NodeId session, Env env)
    : incarnation_(incarnation),
      metas_(std::move(metas)),
      session_(std::move(session)),
      env_(std::move(env)) {}

void BrakeDesk::ask(std::uint64_t token, http::BrakeWish wish, http::ClusterPort& port) {
    Question question{.token = token,
                      .port = &port,
                      .wish = std::move(wish),
                      .asked = env_.clock.mono(),
                      .waits_for = {},
                      .outcome = {}};
    for (const Member& member : env_.members()) {
        if (member.role == Role::data && member.phase != MemberPhase::dead) {
            question.waits_for.insert({member.node, Role::data});
        }
    }
    if (session_ != NodeId{}) {
        question.waits_for.insert({session_, Role::session});
    }
    if (open_.size() >= kOpenMax) {
        question.asked = {};  // answered at the next turn
        open_.emplace(++last_request_, std::move(question));
        env_.timers.arm(kAgain, Duration::zero());
        return;
    }
    const auto [at, is_new] = open_.emplace(++last_request_, std::move(question));
    put(at->first, at->second);
    if (open_.size() == 1) {  // else it runs, and would be put off
        env_.timers.arm(kAgain, kAskAgain);
    }
}

void BrakeDesk::put(std::uint64_t request, Question& question) {
    question.put = env_.clock.mono();
    const msg::BrakeRequest message{.incarnation = incarnation_,
                                    .request = request,
                                    .action = question.wish.action,
                                    .scope = question.wish.scope,
                                    .name = question.wish.name,
                                    .asked_by = question.wish.asked_by};
    for (const msg::RoleAddress& who : question.waits_for) {
        env_.outbox.send(who, message);
    }
    for (const NodeId& meta : metas_) {
        if (!question.metas_answered) {
            env_.outbox.send({meta, Role::meta}, message);
        }
    }
}

void BrakeDesk::take(const msg::RoleAddress& from, const msg::BrakeReply& reply) {
    const auto found = open_.find(reply.request);
    if (reply.incarnation != incarnation_ || found == open_.end()) {
        return;  // of an earlier life, or too late
    }
    Question& question = found->second;
    const bool is_meta = from.role == Role::meta;
    if (is_meta ? std::exchange(question.metas_answered, true)
                : question.waits_for.erase(from) == 0) {
        return;  // a second answer
    }
    http::BrakeOutcome& outcome = question.outcome;
    for (const msg::BrakeLine& line : reply.lines) {
        const auto known = std::ranges::find_if(outcome.lines, [&](const msg::BrakeLine& one) {
            return place_of(one) == place_of(line);
        });
        if (known == outcome.lines.end()) {
            outcome.lines.push_back(line);
        } else if (!is_meta) {
            *known = line;  // it knows best itself
        }
    }
    outcome.more = outcome.more || reply.more;
    // What a meta passes on to the session of this process is that session's to count.
    if (!is_meta || question.wish.scope != msg::BrakeScope::session ||
        question.wish.name != session_.raw()) {
        outcome.brakes += reply.brakes;
        outcome.publications += reply.publications;
    }
    if (question.waits_for.empty() && question.metas_answered) {
        answer(reply.request);
    }
}

void BrakeDesk::answer(std::uint64_t request) {
    auto question = std::move(open_.extract(request).mapped());
    http::BrakeOutcome& outcome = question.outcome;
    std::ranges::sort(outcome.lines, {}, place_of);
    if (outcome.lines.size() > kLinesMax) {
        outcome.lines.resize(kLinesMax);
        outcome.more = true;
    }
    for (const msg::RoleAddress& who : question.waits_for) {
        outcome.silent.push_back(who.node.raw());
    }
    if (!question.metas_answered) {
        outcome.silent.emplace_back("metas");
    }
    question.port->on_brake(question.token, outcome);
}

void BrakeDesk::on_timer(env::TimerKey /*key*/) {
    const MonoTime now = env_.clock.mono();
    std::vector<std::uint64_t> over;
    for (auto& [request, question] : open_) {
        if (now - question.asked >= kPatience) {
            over.push_back(request);
        } else if (now - question.put >= kAskAgain) {
            put(request, question);
        }
    }
    for (const std::uint64_t request : over) {
        answer(request);
    }
    if (!open_.empty()) {
        env_.timers.arm(kAgain, kAskAgain);
    }
}

}  // namespace muster::cli
