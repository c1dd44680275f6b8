#include "apps/muster/server/operator_desk.h"

#include <utility>

namespace muster::cli {
namespace {

constexpr env::TimerKey kAgain(0);

}  // namespace

OperatorDesk::OperatorDesk(NodeId self, Incarnation incarnation, std::vector<NodeId> metas, Env env)
    : self_(std::move(self)),
      incarnation_(incarnation),
      metas_(std::move(metas)),
      env_(std::move(env)) {}

void OperatorDesk::ask_cluster(std::uint64_t token, msg::OperatorRequest::What what,
                               http::ClusterPort& port) {
    const bool full = open_.size() >= kOpenMax;
    const std::uint64_t request = ++last_request_;
    const auto [at, is_new] = open_.emplace(request, Question{.token = token,
                                                              .port = &port,
                                                              .what = std::move(what),
                                                              .asked = env_.clock.mono(),
                                                              .refused = full});
    if (full) {
        env_.timers.arm(kAgain, Duration::zero());
        return;
    }
    put(request, at->second);
    if (open_.size() == 1) {  // else it runs, and would be put off
        env_.timers.arm(kAgain, kAskAgain);
    }
}

void OperatorDesk::put(std::uint64_t request, Question& question) {
    question.put = env_.clock.mono();
    for (const NodeId& meta : metas_) {
        env_.outbox.send({meta, Role::meta}, msg::OperatorRequest{.incarnation = incarnation_,
                                                                  .request = request,
                                                                  .what = question.what});
    }
}

void OperatorDesk::take(const msg::OperatorReply& reply) {
    const auto question = open_.find(reply.request);
    if (reply.incarnation != incarnation_ || question == open_.end()) {
        return;  // of an earlier life, or the second answer
    }
    const Question answered = std::move(question->second);
    open_.erase(question);
    answered.port->on_cluster(answered.token,
                              {.result = reply.result, .report = reply.report, .stale = {}});
}

// What is answered to a question that no meta answers; nothing: not yet, or not at all.
std::optional<http::ClusterAnswer> OperatorDesk::answer_without_metas(
    const Question& question) const {
    if (question.refused) {
        return http::ClusterAnswer{
            .result = fail(Errc::busy, "too many questions to the metas wait for their answers"),
            .report = nullptr,
            .stale = {}};
    }
    const bool reports = std::holds_alternative<msg::OperatorRequest::ReportCluster>(question.what);
    if (!reports || env_.clock.mono() - question.asked < kStaleAfter) {
        return std::nullopt;
    }
    LastKnown last = env_.last_known();
    if (last.report.table.slots.empty() && last.report.members.empty()) {
        return std::nullopt;
    }
    return http::ClusterAnswer{
        .result = {},
        .report = std::make_shared<const msg::ClusterReport>(std::move(last.report)),
        .stale = http::ClusterAnswer::Stale{.told_by = self_, .age = last.age}};
}

void OperatorDesk::on_timer(env::TimerKey /*key*/) {
    const MonoTime now = env_.clock.mono();
    std::vector<std::pair<Question, http::ClusterAnswer>> answers;
    for (auto at = open_.begin(); at != open_.end();) {
        if (auto answer = answer_without_metas(at->second)) {
            answers.emplace_back(std::move(at->second), *std::move(answer));
            at = open_.erase(at);
        } else if (now - at->second.asked >= kPatience) {
            at = open_.erase(at);
        } else {
            if (now - at->second.put >= kAskAgain) {
                put(at->first, at->second);
            }
            ++at;
        }
    }
    if (!open_.empty()) {
        env_.timers.arm(kAgain, kAskAgain);
    }
    for (const auto& [question, answer] : answers) {
        question.port->on_cluster(question.token, answer);
    }
}

}  // namespace muster::cli
