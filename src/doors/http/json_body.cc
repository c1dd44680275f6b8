#include "doors/http/json_body.h"

#include <algorithm>
#include <array>

#include <boost/json/stream_parser.hpp>
#include <boost/json/value.hpp>

namespace muster::http {
namespace {

namespace json = boost::json;

constexpr std::int64_t kTtlSecondsMax = 3600;
constexpr std::int64_t kWeightMax = 1'000'000;
constexpr std::size_t kBoxesMax = 64;
constexpr std::array<std::string_view, 11> kFields{"ip",      "port",    "scheme",     "weight",
                                                   "enabled", "healthy", "metadata",   "boxes",
                                                   "zone",    "app",     "ttl_seconds"};

std::string_view view_of(const json::string& text) {
    return {text.data(), text.size()};
}

std::unexpected<Error> wrong(std::string_view field, std::string_view wanted) {
    return fail(Errc::invalid_argument,
                "the field '" + std::string(field) + "' is " + std::string(wanted));
}

std::string place_of(std::string_view text, std::size_t at) {
    const std::string_view before = text.substr(0, at);
    const auto line = 1 + std::ranges::count(before, '\n');
    const auto newline = before.rfind('\n');
    const auto column = at - (newline == std::string_view::npos ? 0 : newline + 1) + 1;
    return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

Result<json::value> parse(std::string_view text) {
    json::parse_options options;
    options.max_depth = 32;
    json::stream_parser parser({}, options);
    json::error_code ec;
    const std::size_t used = parser.write_some(text.data(), text.size(), ec);
    if (!ec && text.find_first_not_of(" \t\r\n", used) != std::string_view::npos) {
        ec = json::error::extra_data;
    }
    if (!ec) {
        parser.finish(ec);
    }
    if (ec) {
        const std::string what =
            ec == json::error::incomplete ? std::string("it ends too early") : ec.message();
        return fail(Errc::bad_content,
                    "the body is not JSON at " + place_of(text, used) + ": " + what);
    }
    return parser.release();
}

// Reads fields of one JSON object; the first thing wrong stays as the error.
class FieldReader {
public:
    explicit FieldReader(const json::object& object) : object_(object) {}

    void read(std::string_view field, std::string& out) {
        if (const json::value* value = find(field)) {
            if (value->is_string()) {
                out = view_of(value->get_string());
            } else {
                set(wrong(field, "a string"));
            }
        }
    }

    void read(std::string_view field, bool& out) {
        if (const json::value* value = find(field)) {
            if (value->is_bool()) {
                out = value->get_bool();
            } else {
                set(wrong(field, "true or false"));
            }
        }
    }

    void read(std::string_view field, std::int64_t low, std::int64_t high, std::int64_t& out) {
        if (const json::value* value = find(field)) {
            if (value->is_int64() && value->get_int64() >= low && value->get_int64() <= high) {
                out = value->get_int64();
            } else {
                set(wrong(field, "a whole number from " + std::to_string(low) + " to " +
                                     std::to_string(high)));
            }
        }
    }

    void read(std::string_view field, std::map<std::string, std::string>& out) {
        const json::value* value = find(field);
        if (value == nullptr) {
            return;
        }
        if (!value->is_object()) {
            set(wrong(field, "an object of strings"));
            return;
        }
        for (const auto& [key, item] : value->get_object()) {
            if (!item.is_string()) {
                set(wrong(field, "an object of strings"));
                return;
            }
            out.emplace(std::string_view(key.data(), key.size()), view_of(item.get_string()));
        }
    }

    void read(std::string_view field, std::vector<std::string>& out) {
        const json::value* value = find(field);
        if (value == nullptr) {
            return;
        }
        const json::array* items = value->if_array();
        const bool fits =
            items != nullptr && !items->empty() && items->size() <= kBoxesMax &&
            std::ranges::all_of(*items, [](const json::value& item) { return item.is_string(); });
        if (!fits) {
            set(wrong(field, "a list of 1 to 64 strings"));
            return;
        }
        for (const json::value& item : *items) {
            out.emplace_back(view_of(item.get_string()));
        }
    }

    void set(std::unexpected<Error> error) {
        if (outcome_) {
            outcome_ = std::move(error);
        }
    }

    [[nodiscard]] bool has(std::string_view field) const {
        return find(field) != nullptr;
    }
    [[nodiscard]] const Result<void>& outcome() const {
        return outcome_;
    }

private:
    [[nodiscard]] const json::value* find(std::string_view field) const {
        return object_.if_contains({field.data(), field.size()});
    }

    const json::object& object_;
    Result<void> outcome_;
};

void check_field_names(const json::object& object, FieldReader& reader) {
    for (const auto& [key, value] : object) {
        const std::string_view name(key.data(), key.size());
        if (std::ranges::find(kFields, name) == kFields.end()) {
            std::string known;
            for (const auto field : kFields) {
                known.append(known.empty() ? "" : ", ").append(field);
            }
            reader.set(fail(Errc::invalid_argument, "the field '" + std::string(name) +
                                                        "' is unknown; known are " + known));
        }
    }
}

// The endpoint as one box; what would not come back the same is refused.
void read_endpoint(FieldReader& reader, InstanceBody& body) {
    Endpoint endpoint;
    std::int64_t port = 0;
    std::int64_t weight = endpoint.weight;
    reader.read("ip", endpoint.ip);
    reader.read("port", 1, 65535, port);
    reader.read("scheme", endpoint.scheme);
    reader.read("weight", 0, kWeightMax, weight);
    reader.read("enabled", endpoint.enabled);
    reader.read("healthy", endpoint.healthy);
    reader.read("metadata", endpoint.metadata);
    if (endpoint.ip.empty() || port == 0) {
        reader.set(fail(Errc::invalid_argument, "the body needs 'ip' and 'port', or 'boxes'"));
        return;
    }
    endpoint.port = static_cast<std::uint16_t>(port);
    endpoint.weight = static_cast<std::uint32_t>(weight);
    std::string box = endpoint.to_box();
    if (Endpoint::parse(box) != endpoint) {
        reader.set(fail(Errc::invalid_argument,
                        "'" + box +
                            "' would be read differently: no '/', '?' or '&' in ip and scheme, no "
                            "'&' in metadata, no '=' in its keys, and no key named weight, enabled "
                            "or healthy"));
        return;
    }
    body.boxes.push_back(std::move(box));
}

}  // namespace

Result<InstanceBody> read_instance_body(std::string_view text) {
    const auto value = parse(text);
    if (!value) {
        return std::unexpected(value.error());
    }
    if (!value->is_object()) {
        return fail(Errc::bad_content, "the body is not a JSON object");
    }
    InstanceBody body;
    FieldReader reader(value->get_object());
    check_field_names(value->get_object(), reader);
    if (reader.has("boxes")) {
        reader.read("boxes", body.boxes);
        for (const auto field :
             {"ip", "port", "scheme", "weight", "enabled", "healthy", "metadata"}) {
            if (reader.has(field)) {
                reader.set(wrong(field, "not allowed beside 'boxes'"));
            }
        }
    } else {
        read_endpoint(reader, body);
    }
    std::int64_t ttl_seconds = std::chrono::duration_cast<std::chrono::seconds>(body.ttl).count();
    reader.read("zone", body.zone);
    reader.read("app", body.app);
    reader.read("ttl_seconds", 1, kTtlSecondsMax, ttl_seconds);
    MUSTER_TRY(reader.outcome());
    body.ttl = std::chrono::seconds(ttl_seconds);
    return body;
}

}  // namespace muster::http
