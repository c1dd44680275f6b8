// How SOFARegistry's Java clients find the sessions (wire description 4.1): plain text, no
// Content-Encoding header (the client takes it for a charset), no separator at the end. Their query
// (instanceId, zone, dataCenter, appName, env) arrives unencoded and may hold the word null.
#include <algorithm>
#include <cstdint>
#include <limits>

#include "doors/http/router.h"

namespace muster::http {
namespace {

http1::Response text_response(std::string body) {
    return {.content_type = "text/plain", .body = std::move(body)};
}

Result<Answer> query(const Call& /*call*/, Site& site) {
    std::string body;
    for (const auto& server : site.clients.server_list()) {
        body += (body.empty() ? "" : ";") + server;
    }
    return text_response(std::move(body));
}

// The weight is a load: of two servers the client draws it takes the one with the smaller weight.
// It reads an int of Java.
Result<Answer> query_with_weight(const Call& /*call*/, Site& site) {
    constexpr std::uint64_t kWeightMax = std::numeric_limits<std::int32_t>::max();
    std::string body;
    for (const auto& server : site.queries.server_loads()) {
        body += (body.empty() ? "" : ";") + server.address +
                "?weight=" + std::to_string(std::min(server.load, kWeightMax));
    }
    return text_response(std::move(body));
}

}  // namespace

void add_servers_routes(Router& router) {
    router.add({"GET", "/api/servers/query", query, "sessions as ip:port;ip:port",
                RouteKind::lenient_query});
    router.add({"GET", "/api/servers/queryWithWeight", query_with_weight,
                "sessions as ip:port?weight=load;...", RouteKind::lenient_query});
}

}  // namespace muster::http
