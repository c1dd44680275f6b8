// How SOFARegistry's Java clients find the sessions (wire description 4.1): plain text, no
// Content-Encoding header (the client takes it for a charset), no separator at the end. Their query
// (instanceId, zone, dataCenter, appName, env) arrives unencoded and may hold the word null.
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

// The weight is a load: the client prefers the smaller one of two neighbours. This session's own
// count of connections is the best that is known of any, so all get it and none is preferred.
Result<Answer> query_with_weight(const Call& /*call*/, Site& site) {
    const auto load = std::to_string(site.queries.status().connections);
    std::string body;
    for (const auto& server : site.clients.server_list()) {
        body += (body.empty() ? "" : ";") + server + "?weight=" + load;
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
