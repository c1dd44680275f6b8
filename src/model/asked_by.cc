#include "model/asked_by.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/utf8.h"

namespace muster {
namespace {

// Controls, and what shows nothing or turns the text around it: a name must not pretend to be a
// line of its own, or another name.
constexpr std::array<std::pair<char32_t, char32_t>, 9> kUnprintable = {{
    {0x0, 0x1f},
    {0x7f, 0x9f},
    {0xad, 0xad},
    {0x61c, 0x61c},
    {0x200b, 0x200f},
    {0x2028, 0x202e},
    {0x2060, 0x206f},
    {0xfeff, 0xfeff},
    {0xfff9, 0xfffb},
}};

bool printable(char32_t point) {
    constexpr char32_t kPlane = 0xffff;
    constexpr char32_t kNoCharacter = 0xfffe;
    return (point & kPlane) < kNoCharacter && std::ranges::none_of(
                                                  kUnprintable,
                                                  [point](const auto& range) {
                                                      return range.first <= point &&
                                                             point <= range.second;
                                                  });
}

}  // namespace

Result<void> check_asked_by(std::string_view name) {
    const std::string expected =
        "by: expected a name of at most " + std::to_string(kAskedByBytesMax) + " bytes, got ";
    if (name.size() > kAskedByBytesMax) {
        return fail(Errc::invalid_argument, expected + std::to_string(name.size()) + " bytes");
    }
    for (std::string_view rest = name; !rest.empty();) {
        const std::size_t at = name.size() - rest.size();
        const auto point = take_code_point(rest);
        if (!point || !printable(*point)) {
            return fail(Errc::invalid_argument,
                        expected +
                            (point ? "a character that cannot be shown" : "what is no UTF-8") +
                            " at byte " + std::to_string(at));
        }
    }
    return {};
}

std::string asked_by_of(std::string_view text) {
    std::string name;
    while (!text.empty()) {
        const std::string_view before = text;
        const auto point = take_code_point(text);
        if (!point) {
            text.remove_prefix(1);
        }
        const std::string_view shown = point && printable(*point)
                                           ? before.substr(0, before.size() - text.size())
                                           : std::string_view("?");
        if (name.size() + shown.size() > kAskedByBytesMax) {
            break;
        }
        name += shown;
    }
    return name;
}

}  // namespace muster
