#include "base/utf8.h"

#include <cstddef>
#include <cstdint>

namespace muster {

std::optional<char32_t> take_code_point(std::string_view& text) {
    if (text.empty()) {
        return std::nullopt;
    }
    const auto lead = static_cast<std::uint8_t>(text.front());
    if (lead < 0x80U) {
        text.remove_prefix(1);
        return lead;
    }
    const std::size_t length = lead >= 0xf0U ? 4 : lead >= 0xe0U ? 3 : 2;
    if (lead < 0xc2U || lead > 0xf4U || text.size() < length) {
        return std::nullopt;
    }
    char32_t point = lead & (0x7fU >> length);
    for (std::size_t k = 1; k < length; ++k) {
        const auto byte = static_cast<std::uint8_t>(text[k]);
        if ((byte & 0xc0U) != 0x80U) {
            return std::nullopt;
        }
        point = point << 6U | (byte & 0x3fU);
    }
    const bool overlong = (length == 3 && point < 0x800U) || (length == 4 && point < 0x10000U);
    if (overlong || point > 0x10ffffU || (point >= 0xd800U && point <= 0xdfffU)) {
        return std::nullopt;
    }
    text.remove_prefix(length);
    return point;
}

}  // namespace muster
