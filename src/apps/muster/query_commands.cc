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

void note_incomplete(const Shown& answer) {
    if (answer.text("complete") == "false") {
        std::fprintf(stderr,
                     "note: the registry started recently and is not sure yet that this is all\n");
    }
}

}  // namespace

int run_services(const ServicesOptions& options) {
    const std::string target = "/api/v1/services?limit=" + std::to_string(options.limit) +
                               "&contains=" + percent_encode(options.contains);
    return show(options.query, target, [](const Shown& answer) {
        Table table({"SERVICE", "INSTANCES", "VERSION"});
        for (const Shown& service : answer.items("services")) {
            table.add(
                {service.text("service"), service.text("instances"), service.text("version")});
        }
        print(table, "no such service is known");
        if (answer.text("more") == "true") {
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
    return show(options.query, *target, [](const Shown& answer) {
        Table table({"ADDRESS", "ZONE", "WEIGHT", "ENABLED", "APP", "CLIENT", "ID"});
        for (const Shown& instance : answer.items("instances")) {
            const auto boxes = instance.items("boxes");
            std::string address = instance.text("ip");
            address = address.empty() ? (boxes.empty() ? "-" : boxes[0].text())
                                      : address + ":" + instance.text("port");
            table.add({address, instance.text("zone"), instance.text("weight"),
                       instance.text("enabled"), instance.text("app"),
                       instance.text("client_address"), instance.text("id")});
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
    return show(options.query, *target, [](const Shown& answer) {
        Table table({"CLIENT", "DOOR", "APP", "SCOPE", "ZONE", "HAS VERSION", "BEHIND", "ID"});
        for (const Shown& subscriber : answer.items("subscribers")) {
            table.add({subscriber.text("client_address"), subscriber.text("door"),
                       subscriber.text("app"), subscriber.text("scope"), subscriber.text("zone"),
                       subscriber.text("acknowledged"), subscriber.text("behind"),
                       subscriber.text("id")});
        }
        print(table, "nobody subscribes to this service");
    });
}

int run_flapping(const FlappingOptions& options) {
    const std::string target = "/api/v1/flapping?limit=" + std::to_string(options.limit);
    return show(options.query, target, [](const Shown& answer) {
        Table table(
            {"SERVICE", "INSTANCE", "CLIENT", "CAME BACK", "HERE FOR MS", "SHOWN IN MS", "ID"});
        for (const Shown& instance : answer.items("flapping")) {
            table.add({instance.text("service"), instance.text("instance"),
                       instance.text("client_address"), instance.text("flips"),
                       instance.text("held_ms"), instance.text("left_ms"), instance.text("id")});
        }
        print(table, "no instance of this session is flapping");
    });
}

int run_status(const QueryOptions& options) {
    return show(options, "/api/v1/status", [](const Shown& answer) {
        Table table({"WHAT", "VALUE"});
        for (const std::string& key : answer.keys()) {
            table.add({key, answer.cell(key)});
        }
        std::printf("%s", table.to_string().c_str());
    });
}

}  // namespace muster::cli
