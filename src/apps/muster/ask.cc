#include "apps/muster/ask.h"

#include <utility>

#include <boost/json.hpp>

#include "apps/muster/http_client.h"

namespace muster::cli {
namespace {

namespace json = boost::json;

constexpr Errc kCodes[] = {
#define X(name, ...) Errc::name,
    MUSTER_ERRC_LIST(X)
#undef X
};

const json::value* value_of(const void* part) {
    return static_cast<const json::value*>(part);
}

const json::value* find(const void* part, std::string_view key) {
    const json::value* value = value_of(part);
    return value != nullptr && value->is_object() ? value->get_object().if_contains(key) : nullptr;
}

std::string text_of(const json::value* value) {
    if (value == nullptr || value->is_null()) {
        return {};
    }
    return value->is_string() ? std::string(value->get_string()) : json::serialize(*value);
}

// The Error that an error answer tells: "Invalid argument: what. Do this."
Error error_of(const Shown& answer) {
    const Shown details = answer.member("error");
    if (details.text().empty()) {
        return {Errc::refused, answer.as_json()};
    }
    Error error{Errc::refused, details.text("message")};
    for (const Errc code : kCodes) {
        const ErrcInfo& known = info(code);
        if (known.name == details.text("code")) {
            error.code = code;
            // The sentence begins with the text of the code, which our own begins with, too.
            if (error.detail.size() > known.text.size() + 2 &&
                error.detail.substr(1, known.text.size() - 1) == known.text.substr(1)) {
                error.detail.erase(0, known.text.size() + 2);
            }
        }
    }
    error.detail += " " + details.text("action");
    return error;
}

}  // namespace

struct Shown::Value {
    json::value value;
};

Result<Shown> Shown::parse(const std::string& text) {
    boost::system::error_code error;
    auto whole = std::make_shared<Value>();
    whole->value = json::parse(text, error);
    if (error || !whole->value.is_object()) {
        return fail(Errc::bad_content, "not a JSON object");
    }
    const void* part = &whole->value;
    return Shown(std::move(whole), part);
}

std::string Shown::text() const {
    return text_of(value_of(part_));
}

std::string Shown::text(std::string_view key) const {
    return text_of(find(part_, key));
}

std::string Shown::cell(std::string_view key) const {
    const json::value* value = find(part_, key);
    if (value == nullptr || !value->is_array()) {
        return text_of(value);
    }
    std::string joined;
    for (const json::value& item : value->get_array()) {
        joined += (joined.empty() ? "" : ", ") + text_of(&item);
    }
    return joined;
}

std::vector<Shown> Shown::items(std::string_view key) const {
    std::vector<Shown> all;
    if (const json::value* value = find(part_, key); value != nullptr && value->is_array()) {
        for (const json::value& item : value->get_array()) {
            all.push_back(Shown(whole_, &item));
        }
    }
    return all;
}

Shown Shown::member(std::string_view key) const {
    return {whole_, find(part_, key)};
}

std::vector<std::string> Shown::keys() const {
    std::vector<std::string> all;
    if (const json::value* value = value_of(part_); value != nullptr && value->is_object()) {
        for (const auto& [key, member] : value->get_object()) {
            all.emplace_back(key);
        }
    }
    return all;
}

std::string Shown::as_json() const {
    return part_ == nullptr ? "null" : json::serialize(*value_of(part_));
}

Result<Shown> ask(const QueryOptions& options, const std::string& target, std::string_view method,
                  Duration patience) {
    auto answer = ask_whole(options, target, method, patience);
    if (answer && !answer->text("error").empty()) {
        return std::unexpected(error_of(*answer));
    }
    return answer;
}

Result<Shown> ask_whole(const QueryOptions& options, const std::string& target,
                        std::string_view method, Duration patience) {
    const auto answer = http_request(method, options.server, target, {}, patience);
    if (!answer) {
        return std::unexpected(answer.error());
    }
    auto shown = Shown::parse(answer->body);
    if (!shown) {
        return fail(
            Errc::bad_content,
            options.server + " does not answer in JSON; is it a muster server's HTTP port?");
    }
    const bool tells_more = shown->keys().size() > 1 && !shown->text("error").empty();
    if (answer->status >= 400 && !tells_more) {
        return std::unexpected(error_of(*shown));
    }
    return shown;
}

void print(const Table& table, const char* nothing) {
    std::printf("%s", table.to_string().c_str());
    if (table.empty()) {
        std::fflush(stdout);
        std::fprintf(stderr, "note: %s\n", nothing);
    }
}

}  // namespace muster::cli
