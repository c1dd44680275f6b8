// Who has been told what of a service, and instances that are about to leave or are back: every
// process asks the leader and all sessions.
#include "doors/http/cluster_ops.h"
#include "doors/http/router.h"

namespace muster::http {
namespace {

constexpr std::uint64_t kLinesShown = 100;
constexpr Duration kTimeout = std::chrono::seconds(30);
constexpr Duration kMeasured = std::chrono::minutes(10);
constexpr Duration kRamp = std::chrono::seconds(30);

Result<propagation::Question> question_of(const Call& call) {
    auto service = call.service();
    MUSTER_TRY(service);
    const auto limit = call.number("limit", kLinesShown, 1, msg::ReachRequest::kLimitMax);
    MUSTER_TRY(limit);
    return propagation::Question{.service = *std::move(service),
                                 .limit = static_cast<std::uint32_t>(*limit)};
}

Result<Answer> propagation(const Call& call, Site& /*site*/) {
    auto question = question_of(call);
    MUSTER_TRY(question);
    return std::make_unique<PropagationOp>(*std::move(question));
}

Result<Answer> measure(const Call& call, Site& /*site*/) {
    auto question = question_of(call);
    MUSTER_TRY(question);
    const auto time = call.duration("for", kMeasured, propagation::Question::kMeasureMax);
    MUSTER_TRY(time);
    question->measure = *time;
    return std::make_unique<PropagationOp>(*std::move(question));
}

// Which instances are meant.
Result<propagation::DrainWish> wish_of(const Call& call) {
    auto service = call.service();
    MUSTER_TRY(service);
    const auto limit = call.number("limit", kLinesShown, 1, msg::ReachRequest::kLimitMax);
    MUSTER_TRY(limit);
    auto asked_by = call.asked_by();
    MUSTER_TRY(asked_by);
    propagation::DrainWish wish{.service = *std::move(service),
                                .address = std::string(call.query.get("address").value_or("")),
                                .limit = static_cast<std::uint32_t>(*limit),
                                .asked_by = *std::move(asked_by)};
    MUSTER_TRY(wish.check());
    return wish;
}

Result<Answer> drain(const Call& call, Site& /*site*/) {
    auto wish = wish_of(call);
    MUSTER_TRY(wish);
    const auto timeout = call.duration("timeout", kTimeout, propagation::DrainWish::kTimeoutMax);
    MUSTER_TRY(timeout);
    wish->timeout = *timeout;
    return std::make_unique<MarkOp>(*std::move(wish));
}

Result<Answer> restore(const Call& call, Site& /*site*/) {
    auto wish = wish_of(call);
    MUSTER_TRY(wish);
    const auto ramp = call.duration("ramp", kRamp, std::chrono::milliseconds(Mark::kRampMsMax));
    MUSTER_TRY(ramp);
    wish->kind = Mark::Kind::restored;
    wish->ramp = *ramp;
    wish->timeout = Duration{};
    return std::make_unique<MarkOp>(*std::move(wish));
}

}  // namespace

void add_propagation_routes(Router& router) {
    for (const std::string base : {"/api/v1/services/{tenant}/{group}/{dataId}", "/api/v1"}) {
        router.add({"GET", base + "/propagation", propagation,
                    "who has been told what of a service, on all sessions", RouteKind::question});
        router.add({"POST", base + "/propagation", measure,
                    "the same, and all sessions measure the service's changes for a while"});
        router.add({"POST", base + "/drain", drain,
                    "takes an instance out of all lists, and waits until they are acknowledged"});
        router.add({"POST", base + "/restore", restore, "shows a drained instance again"});
    }
}

}  // namespace muster::http
