#include "doors/http/query_ops.h"
#include "doors/http/router.h"

namespace muster::http {
namespace {

constexpr std::size_t kValueBytesMax = 256 * 1024;

Result<ServicePtr> config_key(const Call& call) {
    auto key = Service::make(call.param("tenant"), call.param("group"), call.param("key"));
    MUSTER_TRY(key);
    return interned(*std::move(key));
}

Result<Answer> get_config(const Call& call, Site& site) {
    auto key = config_key(call);
    MUSTER_TRY(key);
    return std::make_unique<ConfigGetOp>(*std::move(key), site.list_wait);
}

// The body is the value, whatever its Content-Type.
Result<Answer> put_config(const Call& call, Site& /*site*/) {
    auto key = config_key(call);
    MUSTER_TRY(key);
    if (call.request.body.size() > kValueBytesMax) {
        return fail(Errc::too_large, "a configuration value has at most " +
                                         std::to_string(kValueBytesMax) + " bytes");
    }
    return std::make_unique<ConfigPutOp>(*std::move(key), call.request.body);
}

Result<Answer> delete_config(const Call& call, Site& /*site*/) {
    auto key = config_key(call);
    MUSTER_TRY(key);
    return std::make_unique<ConfigPutOp>(*std::move(key), std::nullopt);
}

}  // namespace

void add_config_routes(Router& router) {
    const std::string path = "/api/v1/config/{tenant}/{group}/{key}";
    router.add({"GET", path, get_config, "a configuration value", RouteKind::question});
    router.add({"PUT", path, put_config, "sets it to the body"});
    router.add({"DELETE", path, delete_config, "removes it"});
}

}  // namespace muster::http
