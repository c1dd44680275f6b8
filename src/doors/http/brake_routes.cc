// What the brake holds (docs/adr/0009), and what operators say about it: every process asks all
// that may hold something.
#include "doors/http/cluster_ops.h"
#include "doors/http/router.h"

namespace muster::http {
namespace {

using Action = msg::BrakeRequest::Action;

Result<Answer> report(const Call& /*call*/, Site& /*site*/) {
    return std::make_unique<BrakeOp>(BrakeWish{});
}

Result<Answer> decide(const Call& call, Action action) {
    BrakeWish wish{.action = action};
    auto asked_by = call.asked_by();
    MUSTER_TRY(asked_by);
    wish.asked_by = *std::move(asked_by);
    const std::string scope(call.query.get("scope").value_or(""));
    wish.name = call.query.get("name").value_or("");
    if (scope == "cluster") {
        wish.scope = msg::BrakeScope::cluster;
        wish.name = "cluster";
        return std::make_unique<BrakeOp>(std::move(wish));
    }
    if (scope != "session" && scope != "service") {
        return fail(Errc::invalid_argument,
                    "scope: expected session, service or cluster, got '" + scope + "'");
    }
    if (wish.name.empty()) {
        return fail(Errc::invalid_argument,
                    "name: expected the node id of the session, or the service");
    }
    if (scope == "service") {
        const auto service = parse_service_path(wish.name);
        MUSTER_TRY(service);
        wish.scope = msg::BrakeScope::service;
        wish.name = service->data_info_id();
    }
    return std::make_unique<BrakeOp>(std::move(wish));
}

Result<Answer> confirm(const Call& call, Site& /*site*/) {
    return decide(call, Action::confirm);
}

Result<Answer> release(const Call& call, Site& /*site*/) {
    return decide(call, Action::release);
}

}  // namespace

void add_brake_routes(Router& router) {
    router.add({"GET", "/api/v1/brake", report, "what is held though its client is probably gone"});
    router.add({"POST", "/api/v1/brake/confirm", confirm, "they are gone: nothing of it is held"});
    router.add({"POST", "/api/v1/brake/release", release, "they live: what is held gets its time"});
}

}  // namespace muster::http
