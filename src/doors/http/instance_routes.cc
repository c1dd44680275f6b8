#include "doors/http/instance_ids.h"
#include "doors/http/json_body.h"
#include "doors/http/lease_table.h"
#include "doors/http/list_ops.h"
#include "doors/http/router.h"
#include "doors/http/write_ops.h"

namespace muster::http {
namespace {

constexpr std::size_t kIdBytesMax = 200;

Result<RegistId> regist_id(const Call& call, const Service& service) {
    const std::string& id = call.param("id");
    const bool printable = std::ranges::none_of(
        id, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    if (id.size() > kIdBytesMax || !printable) {
        return fail(Errc::invalid_argument,
                    "an instance id has 1 to 200 bytes and no control characters");
    }
    return regist_id_of(service, id);
}

Result<Answer> instances(const Call& call, Site& site) {
    auto service = call.service();
    MUSTER_TRY(service);
    auto view = call.view();
    MUSTER_TRY(view);
    return std::make_unique<OneShotOp>(ListWish{.service = *std::move(service),
                                                .scope = view->scope,
                                                .zone = std::move(view->zone),
                                                .known_within = site.list_wait});
}

Result<Answer> put_instance(const Call& call, Site& site) {
    auto service = call.service();
    MUSTER_TRY(service);
    auto id = regist_id(call, **service);
    MUSTER_TRY(id);
    auto body = read_instance_body(call.request.body);
    MUSTER_TRY(body);
    const Publication content{.id = *std::move(id),
                              .service = *std::move(service),
                              .zone = std::move(body->zone),
                              .app = std::move(body->app),
                              .client_address = call.peer,
                              .boxes = std::move(body->boxes)};
    auto lease = site.leases.put(content, body->ttl, site.clock.mono(), site.clock.wall());
    MUSTER_TRY(lease);
    return std::make_unique<RegisterOp>(*std::move(lease), site.leases);
}

Result<Answer> heartbeat(const Call& call, Site& site) {
    const auto service = call.service();
    MUSTER_TRY(service);
    const auto id = regist_id(call, **service);
    MUSTER_TRY(id);
    auto lease = site.leases.renew(**service, *id, site.clock.mono());
    MUSTER_TRY(lease);
    return std::make_unique<RegisterOp>(*std::move(lease), site.leases);
}

Result<Answer> delete_instance(const Call& call, Site& site) {
    auto service = call.service();
    MUSTER_TRY(service);
    auto id = regist_id(call, **service);
    MUSTER_TRY(id);
    const auto leaving = site.leases.leave(**service, *id, site.clock.mono(), site.clock.wall());
    return std::make_unique<UnregisterOp>(*std::move(service), *std::move(id), leaving);
}

}  // namespace

void add_instance_routes(Router& router) {
    for (const std::string base : {"/api/v1/services/{tenant}/{group}/{dataId}", "/api/v1"}) {
        router.add({"GET", base + "/instances", instances, "who provides the service",
                    RouteKind::question});
        router.add({"PUT", base + "/instances/{id}", put_instance, "registers or renews"});
        router.add({"DELETE", base + "/instances/{id}", delete_instance, "deregisters"});
        router.add({"POST", base + "/instances/{id}/heartbeat", heartbeat, "renews"});
    }
}

}  // namespace muster::http
