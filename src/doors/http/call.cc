#include "doors/http/call.h"

#include <charconv>

#include "base/check.h"
#include "model/asked_by.h"

namespace muster::http {
namespace {

struct Unit {
    std::string_view suffix;
    Duration size;
};

// Longer suffixes before those that end like them.
constexpr std::array kUnits{Unit{"ms", std::chrono::milliseconds(1)},
                            Unit{"s", std::chrono::seconds(1)}, Unit{"m", std::chrono::minutes(1)},
                            Unit{"h", std::chrono::hours(1)}, Unit{"", std::chrono::seconds(1)}};

std::optional<std::uint64_t> read_number(std::string_view digits) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), number);
    if (error != std::errc{} || end != digits.end()) {
        return std::nullopt;
    }
    return number;
}

}  // namespace

const std::string& Call::param(std::string_view name) const {
    for (const auto& [key, value] : params) {
        if (key == name) {
            return value;
        }
    }
    CHECK_BECAUSE(false, "the route's template names every parameter its handler asks for");
}

Result<ServicePtr> Call::service() const {
    const bool by_path = !params.empty() && params.front().first == "tenant";
    if (!by_path && !query.get("service")) {
        return fail(Errc::invalid_argument,
                    "the query parameter 'service' is missing: tenant/group/dataId, group/dataId "
                    "or dataId");
    }
    auto service = by_path ? Service::make(param("tenant"), param("group"), param("dataId"))
                           : parse_service_path(*query.get("service"));
    if (!service) {
        return std::unexpected(std::move(service).error());
    }
    return interned(*std::move(service));
}

std::string Call::tenant() const {
    if (!params.empty() && params.front().first == "tenant") {
        return params.front().second;
    }
    const auto service = parse_service_path(query.get("service").value_or(""));
    return service ? service->tenant : std::string();
}

Result<Call::View> Call::view() const {
    View view;
    const auto zone = query.get("zone");
    const auto scope = query.get("scope");
    if (scope) {
        view.scope = parse_scope(*scope);
        if (to_string(view.scope) != *scope) {
            return fail(Errc::invalid_argument, "scope is 'zone', 'dataCenter' or 'global', not '" +
                                                    std::string(*scope) + "'");
        }
    } else if (zone) {
        view.scope = Scope::zone;
    }
    view.zone = zone && !zone->empty() ? *zone : kDefaultZone;
    return view;
}

Result<std::string> Call::asked_by() const {
    std::string name(query.get("by").value_or(""));
    MUSTER_TRY(check_asked_by(name));
    return name;
}

Result<std::uint64_t> Call::number(std::string_view name, std::uint64_t fallback, std::uint64_t low,
                                   std::uint64_t high) const {
    const auto text = query.get(name);
    if (!text) {
        return fallback;
    }
    const auto number = read_number(*text);
    if (!number || *number < low || *number > high) {
        return fail(Errc::invalid_argument,
                    std::string(name) + " is a number from " + std::to_string(low) + " to " +
                        std::to_string(high) + ", not '" + std::string(*text) + "'");
    }
    return *number;
}

Result<Duration> Call::duration(std::string_view name, Duration fallback, Duration high) const {
    const auto text = query.get(name);
    if (!text) {
        return fallback;
    }
    for (const Unit& unit : kUnits) {
        if (!text->ends_with(unit.suffix)) {
            continue;
        }
        const auto count = read_number(text->substr(0, text->size() - unit.suffix.size()));
        const auto count_max = static_cast<std::uint64_t>(high / unit.size);
        if (count && *count <= count_max) {
            return unit.size * static_cast<std::int64_t>(*count);
        }
        break;
    }
    return fail(Errc::invalid_argument,
                std::string(name) + " is a time such as 500ms, 30s or 2m, at most " +
                    std::to_string(to_ms(high) / 1000) + "s, not '" + std::string(*text) + "'");
}

http1::Response json_response(std::string body, int status) {
    return {.status = status, .content_type = "application/json", .body = std::move(body)};
}

}  // namespace muster::http
