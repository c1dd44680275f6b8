#include "wire/hessian/text.h"

#include <algorithm>
#include <cstring>

namespace muster::hessian {
namespace {

constexpr std::uint32_t kReplacement = 0xfffd;
constexpr std::uint32_t kBeyondBmp = 0x10000;
constexpr std::uint32_t kCodePointMax = 0x10ffff;

bool continues(char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) == 0x80;
}

bool is_high_surrogate(std::uint32_t unit) {
    return unit >= 0xd800 && unit <= 0xdbff;
}

bool is_low_surrogate(std::uint32_t unit) {
    return unit >= 0xdc00 && unit <= 0xdfff;
}

struct CodePoint {
    std::uint32_t value = kReplacement;
    std::size_t bytes = 1;
};

// The character at `at`, surrogates included; the replacement of one byte where there is none.
CodePoint read_code_point(std::string_view bytes, std::size_t at) {
    const auto lead = static_cast<unsigned char>(bytes[at]);
    if (lead < 0x80) {
        return {lead, 1};
    }
    const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || bytes.size() - at < size) {
        return {};
    }
    std::uint32_t value = lead & (0x7fU >> size);
    for (std::size_t i = 1; i < size; ++i) {
        if (!continues(bytes[at + i])) {
            return {};
        }
        value = value << 6U | (static_cast<unsigned char>(bytes[at + i]) & 0x3fU);
    }
    const bool overlong = (size == 3 && value < 0x800) || (size == 4 && value < kBeyondBmp);
    if (overlong || value > kCodePointMax) {
        return {};
    }
    return {value, size};
}

void append_code_point(std::string& out, std::uint32_t value) {
    if (value < kBeyondBmp) {
        append_unit(out, value);
        return;
    }
    out.push_back(static_cast<char>(0xf0U | value >> 18U));
    out.push_back(static_cast<char>(0x80U | (value >> 12U & 0x3fU)));
    out.push_back(static_cast<char>(0x80U | (value >> 6U & 0x3fU)));
    out.push_back(static_cast<char>(0x80U | (value & 0x3fU)));
}

enum class LoneSurrogates : std::uint8_t { keep, replace };

std::string join_pairs(const Text& text, LoneSurrogates lone) {
    const std::string_view units = text.units;
    if (is_ascii(units)) {
        return text.units;
    }
    std::string out;
    out.reserve(units.size());
    for (std::size_t at = 0; at < units.size();) {
        const CodePoint first = read_code_point(units, at);
        at += first.bytes;
        if (is_high_surrogate(first.value) && at < units.size()) {
            const CodePoint second = read_code_point(units, at);
            if (is_low_surrogate(second.value)) {
                at += second.bytes;
                append_code_point(
                    out, kBeyondBmp + ((first.value - 0xd800) << 10U) + (second.value - 0xdc00));
                continue;
            }
        }
        const bool alone = is_high_surrogate(first.value) || is_low_surrogate(first.value);
        append_code_point(out,
                          alone && lone == LoneSurrogates::replace ? kReplacement : first.value);
    }
    return out;
}

}  // namespace

bool is_ascii(std::string_view bytes) {
    constexpr std::uint64_t kHighBits = 0x8080808080808080U;
    std::uint64_t all = 0;
    while (bytes.size() >= sizeof(all)) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data(), sizeof(word));
        all |= word;
        bytes.remove_prefix(sizeof(word));
    }
    for (const char c : bytes) {
        all |= static_cast<unsigned char>(c);
    }
    return (all & kHighBits) == 0;
}

std::size_t count_units(std::string_view units) {
    return static_cast<std::size_t>(
        std::ranges::count_if(units, [](char c) { return !continues(c); }));
}

void append_unit(std::string& out, std::uint32_t unit) {
    if (unit < 0x80) {
        out.push_back(static_cast<char>(unit));
    } else if (unit < 0x800) {
        out.push_back(static_cast<char>(0xc0U | unit >> 6U));
        out.push_back(static_cast<char>(0x80U | (unit & 0x3fU)));
    } else {
        out.push_back(static_cast<char>(0xe0U | unit >> 12U));
        out.push_back(static_cast<char>(0x80U | (unit >> 6U & 0x3fU)));
        out.push_back(static_cast<char>(0x80U | (unit & 0x3fU)));
    }
}

void append_units(std::string& out, std::string_view utf8) {
    if (is_ascii(utf8)) {
        out.append(utf8);
        return;
    }
    for (std::size_t at = 0; at < utf8.size();) {
        const CodePoint code_point = read_code_point(utf8, at);
        at += code_point.bytes;
        if (code_point.value < kBeyondBmp) {
            append_unit(out, code_point.value);
        } else {
            const std::uint32_t offset = code_point.value - kBeyondBmp;
            append_unit(out, 0xd800 + (offset >> 10U));
            append_unit(out, 0xdc00 + (offset & 0x3ffU));
        }
    }
}

Text text_of(std::string_view utf8) {
    Text text;
    text.units.reserve(utf8.size());
    append_units(text.units, utf8);
    return text;
}

std::string to_utf8(const Text& text) {
    return join_pairs(text, LoneSurrogates::replace);
}

std::string to_wtf8(const Text& text) {
    return join_pairs(text, LoneSurrogates::keep);
}

}  // namespace muster::hessian
