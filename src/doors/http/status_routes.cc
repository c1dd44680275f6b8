#include "doors/http/json_view.h"
#include "doors/http/query_ops.h"
#include "doors/http/router.h"

namespace muster::http {
namespace {

constexpr std::uint64_t kServicesLimit = 100;
constexpr std::uint64_t kServicesLimitMax = 1000;
constexpr std::uint64_t kFlappingLimit = 100;
constexpr std::uint64_t kFlappingLimitMax = 1000;

Result<Answer> status(const Call& /*call*/, Site& site) {
    return json_response(
        status_json(site.queries.status(), site.clients.center(), site.clients.server_list()));
}

Result<Answer> services(const Call& call, Site& /*site*/) {
    const auto limit = call.number("limit", kServicesLimit, 1, kServicesLimitMax);
    MUSTER_TRY(limit);
    msg::ListServices query{.limit = static_cast<std::uint32_t>(*limit)};
    query.contains = call.query.get("contains").value_or("");
    query.after = call.query.get("after").value_or("");
    return std::make_unique<ServicesOp>(std::move(query));
}

Result<Answer> subscribers(const Call& call, Site& site) {
    const auto service = call.service();
    MUSTER_TRY(service);
    return json_response(subscribers_json(**service, site.queries.subscribers_of(**service)));
}

Result<Answer> flapping(const Call& call, Site& site) {
    const auto limit = call.number("limit", kFlappingLimit, 1, kFlappingLimitMax);
    MUSTER_TRY(limit);
    return json_response(
        flapping_json(site.queries.flapping(*limit), site.queries.status().damped));
}

}  // namespace

void add_status_routes(Router& router) {
    router.add({"GET", "/api/v1/status", status, "this session in numbers"});
    router.add({"GET", "/api/v1/services", services, "services by name, page by page",
                RouteKind::question});
    router.add({"GET", "/api/v1/services/{tenant}/{group}/{dataId}/subscribers", subscribers,
                "subscribers of a service on this session", RouteKind::question});
    router.add(
        {"GET", "/api/v1/subscribers", subscribers, "the same by ?service=", RouteKind::question});
    router.add({"GET", "/api/v1/flapping", flapping,
                "instances of this session that come and go too often to be shown",
                RouteKind::question});
}

}  // namespace muster::http
