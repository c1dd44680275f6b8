// What became of a service's instances: every process asks all data servers.
#include "doors/http/cluster_ops.h"
#include "doors/http/router.h"
#include "model/publication.h"

namespace muster::http {
namespace {

constexpr std::uint64_t kRecordsShown = 100;
constexpr Duration kSinceMax = std::chrono::hours(24 * 366);

Result<Answer> history(const Call& call, Site& /*site*/) {
    auto service = call.service();
    MUSTER_TRY(service);
    const std::string address(call.query.get("address").value_or(""));
    const auto place = Endpoint::parse(address);
    if (!address.empty() && (!place || !place->scheme.empty())) {
        return fail(Errc::invalid_argument,
                    "address: expected ip:port of an instance, got '" + address + "'");
    }
    const auto since = call.duration("since", Duration{}, kSinceMax);
    MUSTER_TRY(since);
    const auto until = call.duration("until", Duration{}, kSinceMax);
    MUSTER_TRY(until);
    const auto limit = call.number("limit", kRecordsShown, 1, msg::HistoryRequest::kLimitMax);
    MUSTER_TRY(limit);
    return std::make_unique<HistoryOp>(
        propagation::HistoryQuestion{.service = *std::move(service),
                                     .address = address,
                                     .since = *since,
                                     .until = *until,
                                     .limit = static_cast<std::uint32_t>(*limit)});
}

}  // namespace

void add_history_routes(Router& router) {
    for (const std::string base : {"/api/v1/services/{tenant}/{group}/{dataId}", "/api/v1"}) {
        router.add({"GET", base + "/history", history,
                    "what became of a service's instances, and why", RouteKind::question});
    }
}

}  // namespace muster::http
