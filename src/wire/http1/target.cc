#include "wire/http1/target.h"

namespace muster::http1 {
namespace {

constexpr std::size_t kParametersMax = 64;

int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

// The byte that the escape at `text[at]` stands for, or -1.
int escape_at(std::string_view text, std::size_t at) {
    if (at + 2 >= text.size()) {
        return -1;
    }
    const int high = hex_value(text[at + 1]);
    const int low = hex_value(text[at + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

// Calls `take(name, value)` for each pair, until it says false.
template <typename Take>
void for_each_pair(std::string_view text, Take take) {
    while (!text.empty()) {
        const auto ampersand = text.find('&');
        const std::string_view pair = text.substr(0, ampersand);
        text =
            ampersand == std::string_view::npos ? std::string_view{} : text.substr(ampersand + 1);
        if (pair.empty()) {
            continue;
        }
        const auto equals = pair.find('=');
        const auto value =
            equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
        if (!take(pair.substr(0, equals), value)) {
            return;
        }
    }
}

}  // namespace

Result<Target> split_target(std::string_view target) {
    if (const auto scheme = target.find("://");
        scheme != std::string_view::npos && scheme < target.find('/')) {
        const auto slash = target.find('/', scheme + 3);
        target = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
    }
    if (target.empty() || target.front() != '/') {
        return fail(Errc::invalid_argument, "the request target does not begin with '/'");
    }
    target = target.substr(0, target.find('#'));
    const auto question = target.find('?');
    return Target{.path = target.substr(0, question),
                  .query = question == std::string_view::npos ? std::string_view{}
                                                              : target.substr(question + 1)};
}

Result<std::string> percent_decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.push_back(text[i]);
            continue;
        }
        const int byte = escape_at(text, i);
        if (byte <= 0) {
            return fail(Errc::invalid_argument, "'" + std::string(text) +
                                                    "' has no valid escape at character " +
                                                    std::to_string(i + 1));
        }
        out.push_back(static_cast<char>(byte));
        i += 2;
    }
    return out;
}

std::string percent_decode_leniently(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int byte = text[i] == '%' ? escape_at(text, i) : -1;
        out.push_back(byte >= 0 ? static_cast<char>(byte) : text[i]);
        i += byte >= 0 ? 2 : 0;
    }
    return out;
}

std::string percent_encode(std::string_view text) {
    static constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        if (is_unreserved(c)) {
            out.push_back(c);
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out.push_back('%');
            out.push_back(kDigits[byte >> 4U]);
            out.push_back(kDigits[byte & 0xfU]);
        }
    }
    return out;
}

Result<std::vector<std::string>> split_path(std::string_view path) {
    std::vector<std::string> segments;
    while (!path.empty()) {
        path.remove_prefix(1);  // the slash
        const auto slash = path.find('/');
        auto segment = percent_decode(path.substr(0, slash));
        if (!segment) {
            return std::unexpected(std::move(segment).error());
        }
        segments.push_back(*std::move(segment));
        path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash);
    }
    return segments;
}

Result<Query> Query::parse(std::string_view text) {
    Query query;
    Result<void> outcome;
    for_each_pair(text, [&](std::string_view name, std::string_view value) {
        auto decoded_name = percent_decode(name);
        auto decoded_value = percent_decode(value);
        if (!decoded_name || !decoded_value) {
            outcome = std::unexpected(decoded_name ? decoded_value.error() : decoded_name.error());
        } else if (query.items_.size() == kParametersMax) {
            outcome = fail(Errc::invalid_argument, "more than 64 query parameters");
        } else {
            query.items_.emplace_back(*std::move(decoded_name), *std::move(decoded_value));
        }
        return outcome.has_value();
    });
    MUSTER_TRY(outcome);
    return query;
}

Query Query::parse_leniently(std::string_view text) {
    Query query;
    for_each_pair(text, [&](std::string_view name, std::string_view value) {
        query.items_.emplace_back(percent_decode_leniently(name), percent_decode_leniently(value));
        return query.items_.size() < kParametersMax;
    });
    return query;
}

std::optional<std::string_view> Query::get(std::string_view name) const {
    for (const auto& [key, value] : items_) {
        if (key == name) {
            return value;
        }
    }
    return std::nullopt;
}

}  // namespace muster::http1
