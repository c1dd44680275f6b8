#include "apps/muster/query_commands.h"

#include <cstdio>
#include <string_view>

#include <boost/json.hpp>

#include "apps/muster/http_client.h"
#include "apps/muster/report.h"
#include "apps/muster/table.h"
#include "model/service.h"

namespace muster::cli {
namespace {

namespace json = boost::json;

constexpr Errc kCodes[] = {
#define X(name, ...) Errc::name,
    MUSTER_ERRC_LIST(X)
#undef X
};

// The text of a member, whatever its type; empty when there is none.
std::string text(const json::object& object, std::string_view key) {
    const json::value* value = object.if_contains(key);
    if (value == nullptr || value->is_null()) {
        return {};
    }
    return value->is_string() ? std::string(value->get_string()) : json::serialize(*value);
}

// The same for a cell of a table, where a list needs no brackets.
std::string cell(const json::object& object, std::string_view key) {
    const json::value* value = object.if_contains(key);
    if (value == nullptr || !value->is_array()) {
        return text(object, key);
    }
    std::string joined;
    for (const json::value& item : value->get_array()) {
        joined += joined.empty() ? "" : ", ";
        joined += item.is_string() ? std::string(item.get_string()) : json::serialize(item);
    }
    return joined;
}

const json::array& items(const json::object& object, std::string_view key) {
    static const json::array kNone;
    const json::value* value = object.if_contains(key);
    return value != nullptr && value->is_array() ? value->get_array() : kNone;
}

// The Error that an error answer tells: "Invalid argument: what. Do this."
Error error_of(const json::object& answer) {
    const json::value* details = answer.if_contains("error");
    if (details == nullptr || !details->is_object()) {
        return {Errc::refused, json::serialize(answer)};
    }
    const json::object& object = details->get_object();
    Error error{Errc::refused, text(object, "message")};
    for (const Errc code : kCodes) {
        const ErrcInfo& known = info(code);
        if (known.name == text(object, "code")) {
            error.code = code;
            // The sentence begins with the text of the code, which our own begins with, too.
            if (error.detail.size() > known.text.size() + 2 &&
                error.detail.substr(1, known.text.size() - 1) == known.text.substr(1)) {
                error.detail.erase(0, known.text.size() + 2);
            }
        }
    }
    error.detail += " " + text(object, "action");
    return error;
}

// Asks and parses; an error answer of the registry becomes an Error with its own sentence.
Result<json::object> ask(const QueryOptions& options, const std::string& target) {
    auto answer = http_request("GET", options.server, target);
    if (!answer) {
        return std::unexpected(std::move(answer).error());
    }
    boost::system::error_code error;
    json::value parsed = json::parse(answer->body, error);
    if (error || !parsed.is_object()) {
        return fail(
            Errc::bad_content,
            options.server + " does not answer in JSON; is it a muster server's HTTP port?");
    }
    if (answer->status >= 400) {
        return std::unexpected(error_of(parsed.get_object()));
    }
    return std::move(parsed.get_object());
}

template <typename Print>
int show(const QueryOptions& options, const std::string& target, const Print& print_table) {
    const auto answer = ask(options, target);
    if (!answer) {
        return report(answer.error());
    }
    if (options.output == "json") {
        std::printf("%s\n", json::serialize(*answer).c_str());
        return 0;
    }
    print_table(*answer);
    return 0;
}

Result<std::string> service_target(const ServiceOptions& options, std::string_view what) {
    const auto service = parse_service_path(options.service);
    if (!service) {
        return std::unexpected(service.error());
    }
    return "/api/v1/services/" + percent_encode(service->tenant) + "/" +
           percent_encode(service->group) + "/" + percent_encode(service->data_id) + "/" +
           std::string(what);
}

// Prints the rows; for a person who sees none, that there are none.
void print(const Table& table, const char* nothing) {
    std::printf("%s", table.to_string().c_str());
    if (table.empty()) {
        std::fflush(stdout);
        std::fprintf(stderr, "note: %s\n", nothing);
    }
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
