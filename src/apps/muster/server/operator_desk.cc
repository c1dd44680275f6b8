#include "apps/muster/server/operator_desk.h"

#include <utility>

namespace muster::cli {
namespace {

constexpr env::TimerKey kAgain(0);

}  // namespace

OperatorDesk::OperatorDesk(Incarnation incarnation, std::vector<NodeId> metas, Env env)
    : incarnation_(incarnation), metas_(std::move(metas)), env_(env) {}

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
    env_.timers.arm(kAgain, kAskAgain);
}

void OperatorDesk::put(std::uint64_t request, const Question& question) {
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
    answered.port->on_cluster(answered.token, reply);
}

void OperatorDesk::on_timer(env::TimerKey /*key*/) {
    const MonoTime now = env_.clock.mono();
    std::vector<Question> refused;
    for (auto at = open_.begin(); at != open_.end();) {
        if (at->second.refused) {
            refused.push_back(std::move(at->second));
            at = open_.erase(at);
        } else if (now - at->second.asked >= kPatience) {
            at = open_.erase(at);
        } else {
            put(at->first, at->second);
            ++at;
        }
    }
    if (!open_.empty()) {
        env_.timers.arm(kAgain, kAskAgain);
    }
    for (const Question& question : refused) {
        question.port->on_cluster(
            question.token,
            {.incarnation = incarnation_,
             .result = fail(Errc::busy, "too many questions to the metas wait for their answers")});
    }
}

}  // namespace muster::cli
