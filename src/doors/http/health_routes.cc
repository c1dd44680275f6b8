#include "doors/http/json_writer.h"
#include "doors/http/metrics_text.h"
#include "doors/http/openapi.h"
#include "doors/http/process_metrics.h"
#include "doors/http/router.h"

namespace muster::http {
namespace {

Result<Answer> live(const Call& /*call*/, Site& /*site*/) {
    JsonWriter json;
    json.begin_object().field("status", "live").end_object();
    return json_response(std::move(json).take());
}

// Ready: registrations and subscriptions are carried out. That all lists are complete is told, but
// not waited for: clients of an earlier life would be kept from coming back.
Result<Answer> ready(const Call& /*call*/, Site& site) {
    const auto status = site.queries.status();
    std::vector<std::string> reasons;
    for (const auto& check : site.readiness) {
        if (auto reason = check()) {
            reasons.push_back(*std::move(reason));
        }
    }
    if (!status.ready && reasons.empty()) {
        reasons.emplace_back("no slot table is known yet: no meta server has answered");
    }
    JsonWriter json;
    json.begin_object()
        .field("status", reasons.empty() ? "ready" : "not_ready")
        .field("settled", status.settled);
    json.key("reasons").begin_array();
    for (const auto& reason : reasons) {
        json.value(reason);
    }
    json.end_array().end_object();
    return json_response(std::move(json).take(), reasons.empty() ? 200 : 503);
}

Result<Answer> metrics(const Call& /*call*/, Site& site) {
    MetricsText text;
    for (const auto& source : site.metrics) {
        source(text);
    }
    write_process_metrics(text);
    return http1::Response{.content_type = "text/plain; version=0.0.4; charset=utf-8",
                           .body = text.serialize()};
}

Result<Answer> openapi(const Call& /*call*/, Site& /*site*/) {
    return http1::Response{.content_type = "application/yaml", .body = std::string(openapi_yaml())};
}

}  // namespace

void add_health_routes(Router& router) {
    router.add({"GET", "/health/live", live, "the process answers"});
    router.add({"GET", "/health/ready", ready, "its roles do their work"});
    router.add({"GET", "/metrics", metrics, "Prometheus text"});
    router.add({"GET", "/api/v1/openapi.yaml", openapi, "this API, as OpenAPI 3.0"});
}

}  // namespace muster::http
