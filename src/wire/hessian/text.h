#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// Java strings are sequences of UTF-16 units, lone surrogates included. On the wire, and in `Text`,
// every unit is one to three bytes (CESU-8 without the demand that surrogates come in pairs): what
// was read is kept to the unit, and counting units is counting bytes that do not continue one.
// The rest of the program speaks UTF-8; these functions are the border.
namespace muster::hessian {

// A Java string in wire form.
struct Text {
    std::string units;

    [[nodiscard]] auto operator<=>(const Text&) const = default;
};

// Every byte is a character of its own, in UTF-8 and in wire form.
[[nodiscard]] bool is_ascii(std::string_view bytes);

// Number of UTF-16 units. Requires: `units` is in wire form.
[[nodiscard]] std::size_t count_units(std::string_view units);

// Wire form of UTF-8: characters beyond U+FFFF become surrogate pairs. Takes anything: lone
// surrogates of three bytes (WTF-8) stay what they are, bytes that are no character become U+FFFD.
void append_units(std::string& out, std::string_view utf8);
[[nodiscard]] Text text_of(std::string_view utf8);

// UTF-8 of wire form; a lone surrogate becomes U+FFFD. For names and everything people see.
[[nodiscard]] std::string to_utf8(const Text& text);

// The same but a lone surrogate stays as three bytes (WTF-8, https://simonsapin.github.io/wtf-8),
// so text_of() gives back every unit. For what is passed on unread.
[[nodiscard]] std::string to_wtf8(const Text& text);

// Appends one UTF-16 unit in wire form.
void append_unit(std::string& out, std::uint32_t unit);

}  // namespace muster::hessian
