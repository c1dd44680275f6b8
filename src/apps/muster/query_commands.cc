#include "apps/muster/query_commands.h"

#include <cstdio>
#include <string_view>

#include "apps/muster/ask.h"
#include "apps/muster/http_client.h"
#include "apps/muster/report.h"
#include "model/service.h"

namespace muster::cli {
namespace {

Result<std::string> service_target(const ServiceOptions& options, std::string_view what) {
    const auto service = parse_service_path(options.service);
    if (!service) {
        return std::unexpected(service.error());
    }
    return "/api/v1/services/" + percent_encode(service->tenant) + "/" +
           percent_encode(service->group) + "/" + percent_encode(service->data_id) + "/" +
           std::string(what);
}

void note_incomplete(const json::object& answer) {
    if (text(answer, "complete") == "false") {
        std::fprintf(stderr,
                     "note: the registry started recently and is not sure yet that this is all\n");
    }
}

}  // namespace

int run_services(const ServicesOptions& options) {
    const std::string target = "/api/v1/services?limit=" + std::to_string(options.limit) +
                               "&contains=" + percent_encode(options.contains);
    return show(options.query, target, [](const json::object& answer) {
        Table table({"SERVICE", "INSTANCES", "VERSION"});
        for (const json::value& item : items(answer, "services")) {
            const json::object& service = item.as_object();
            table.add(
                {text(service, "service"), text(service, "instances"), text(service, "version")});
        }
        print(table, "no such service is known");
        if (text(answer, "more") == "true") {
            std::fprintf(stderr, "note: there are more; narrow with --contains or raise --limit\n");
        }
        note_incomplete(answer);
    });
}

int run_instances(const ServiceOptions& options) {
    auto target = service_target(options, "instances");
    if (!target) {
        return report(target.error());
    }
    const std::string scope = options.zone.empty() ? "dataCenter" : "zone";
    *target += "?scope=" + percent_encode(options.scope.empty() ? scope : options.scope);
    if (!options.zone.empty()) {
        *target += "&zone=" + percent_encode(options.zone);
    }
    return show(options.query, *target, [](const json::object& answer) {
        Table table({"ADDRESS", "ZONE", "WEIGHT", "ENABLED", "APP", "CLIENT", "ID"});
        for (const json::value& item : items(answer, "instances")) {
            const json::object& instance = item.as_object();
            const auto& boxes = items(instance, "boxes");
            std::string address = text(instance, "ip");
            address = address.empty() ? (boxes.empty() ? "-" : std::string(boxes[0].as_string()))
                                      : address + ":" + text(instance, "port");
            table.add({address, text(instance, "zone"), text(instance, "weight"),
                       text(instance, "enabled"), text(instance, "app"),
                       text(instance, "client_address"), text(instance, "id")});
        }
        print(table, "nobody publishes this service");
        note_incomplete(answer);
    });
}

int run_subscribers(const ServiceOptions& options) {
    const auto target = service_target(options, "subscribers");
    if (!target) {
        return report(target.error());
    }
    return show(options.query, *target, [](const json::object& answer) {
        Table table({"CLIENT", "DOOR", "APP", "SCOPE", "ZONE", "HAS VERSION", "BEHIND", "ID"});
        for (const json::value& item : items(answer, "subscribers")) {
            const json::object& subscriber = item.as_object();
            table.add({text(subscriber, "client_address"), text(subscriber, "door"),
                       text(subscriber, "app"), text(subscriber, "scope"), text(subscriber, "zone"),
                       text(subscriber, "acknowledged"), text(subscriber, "behind"),
                       text(subscriber, "id")});
        }
        print(table, "nobody subscribes to this service");
    });
}

int run_status(const QueryOptions& options) {
    return show(options, "/api/v1/status", [](const json::object& answer) {
        Table table({"WHAT", "VALUE"});
        for (const auto& [key, value] : answer) {
            table.add({std::string(key), cell(answer, key)});
        }
        std::printf("%s", table.to_string().c_str());
    });
}

}  // namespace muster::cli
