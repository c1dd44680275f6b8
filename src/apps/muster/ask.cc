#include "apps/muster/ask.h"

#include "apps/muster/http_client.h"

namespace muster::cli {
namespace {

constexpr Errc kCodes[] = {
#define X(name, ...) Errc::name,
    MUSTER_ERRC_LIST(X)
#undef X
};

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

}  // namespace

std::string text(const json::object& object, std::string_view key) {
    const json::value* value = object.if_contains(key);
    if (value == nullptr || value->is_null()) {
        return {};
    }
    return value->is_string() ? std::string(value->get_string()) : json::serialize(*value);
}

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

Result<json::object> ask(const QueryOptions& options, const std::string& target,
                         std::string_view method) {
    auto answer = http_request(method, options.server, target);
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

void print(const Table& table, const char* nothing) {
    std::printf("%s", table.to_string().c_str());
    if (table.empty()) {
        std::fflush(stdout);
        std::fprintf(stderr, "note: %s\n", nothing);
    }
}

}  // namespace muster::cli
