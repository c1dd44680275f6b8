#include "doors/http/errors.h"

#include <array>
#include <cctype>

#include "doors/http/json_writer.h"

namespace muster::http {
namespace {

constexpr auto kAllCodes = std::to_array<Errc>({
#define X(name, ...) Errc::name,
    MUSTER_ERRC_LIST(X)
#undef X
});

std::string sentence(std::string text) {
    if (!text.empty()) {
        text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
        if (text.back() != '.' && text.back() != '?' && text.back() != '!') {
            text += '.';
        }
    }
    return text;
}

}  // namespace

std::string_view action_of(Errc code) {
    switch (code) {
        case Errc::invalid_argument: return "Correct the named parameter or field.";
        case Errc::bad_frame: return "Send a well-formed HTTP/1.1 request.";
        case Errc::bad_content: return "Correct the request body at the named place.";
        case Errc::too_large: return "Send less, or have the operator raise the named limit.";
        case Errc::unknown_type: return "Use a message type this release knows.";
        case Errc::unknown_route:
            return "Use one of the nearest routes, or see GET /api/v1/openapi.yaml.";
        case Errc::method_not_allowed: return "Use one of the methods named by the Allow header.";
        case Errc::not_found: return "Check the name; register it again if it should be there.";
        case Errc::conflict: return "Read the current state and repeat the change on top of it.";
        case Errc::refused: return "Ask the operator of the registry to allow it.";
        case Errc::unauthenticated: return "Send valid credentials.";
        case Errc::over_limit:
            return "Wait, use fewer connections or registrations, or have the limit raised.";
        case Errc::busy: return "Try again after a short pause.";
        case Errc::unavailable: return "Try again after a short pause, or use another server.";
        case Errc::not_ready: return "Try again after the time named by Retry-After.";
        case Errc::not_leader: return "Try again after a short pause.";
        case Errc::stale_epoch: return "Try again after a short pause.";
        case Errc::timeout: return "Try again; if it stays so, look at GET /health/ready.";
        case Errc::closed: return "Connect again.";
        case Errc::address_in_use: return "Choose another port or end the process that holds it.";
        case Errc::io_error: return "Look into the server's log and at its disk.";
        case Errc::corrupt: return "Restore the server's data folder from another copy.";
        case Errc::bad_config: return "Correct the named key of the configuration file.";
        case Errc::internal: return "Report it with the server's log.";
    }
    return "Report it with the server's log.";
}

void write_error(JsonWriter& json, const Error& error, const std::vector<std::string>& nearest) {
    const ErrcInfo& facts = info(error.code);
    json.key("error").begin_object();
    json.field("code", facts.name)
        .field("message", sentence(to_string(error)))
        .field("action", action_of(error.code))
        .field("retryable", facts.retryable);
    if (!nearest.empty()) {
        json.key("nearest").begin_array();
        for (const auto& route : nearest) {
            json.value(route);
        }
        json.end_array();
    }
    json.end_object();
}

http1::Response error_response(const Error& error, const std::vector<std::string>& nearest) {
    const ErrcInfo& facts = info(error.code);
    JsonWriter json;
    json.begin_object();
    write_error(json, error, nearest);
    json.end_object();
    http1::Response response{.status = facts.http_status,
                             .content_type = "application/json",
                             .body = std::move(json).take()};
    if (facts.retryable) {
        response.headers.push_back({"Retry-After", "1"});
    }
    return response;
}

std::string http_errors_page() {
    std::string page =
        "# Errors of the HTTP door\n\n"
        "Every answer that is not a success carries\n"
        "`{\"error\":{\"code\":...,\"message\":...,\"action\":...,\"retryable\":...}}`. The code "
        "is stable;\nthe message is for people. Made from `src/base/errc.h` and the actions in\n"
        "`src/doors/http/errors.cc`; where it differs, the test `ErrorsPage.IsFresh` makes a new "
        "one.\n\n"
        "| code | status | meaning | retryable | what to do |\n|---|---|---|---|---|\n";
    for (const Errc code : kAllCodes) {
        const ErrcInfo& facts = info(code);
        page.append("| `").append(facts.name).append("` | ");
        page.append(std::to_string(facts.http_status)).append(" | ");
        page.append(facts.text).append(" | ");
        page.append(facts.retryable ? "yes" : "no").append(" | ");
        page.append(action_of(code)).append(" |\n");
    }
    page +=
        "\nA request that does not arrive in time is answered with the code `timeout` under the "
        "status 408,\nand its connection closed; everything else that took too long is 504.\n";
    return page;
}

}  // namespace muster::http
