#include "model/short_text.h"

#include <cstdint>
#include <cstring>

#include "base/check.h"

namespace muster {

using Length = std::uint16_t;

ShortText::ShortText(std::string_view text) {
    CHECK(text.size() <= kBytesMax);
    if (text.empty()) {
        return;
    }
    const auto length = static_cast<Length>(text.size());
    bytes_ = std::make_unique_for_overwrite<char[]>(sizeof(Length) + text.size());
    std::memcpy(bytes_.get(), &length, sizeof(Length));
    std::memcpy(bytes_.get() + sizeof(Length), text.data(), text.size());
}

std::string_view ShortText::view_of(const char* raw) {
    if (raw == nullptr) {
        return {};
    }
    Length length = 0;
    std::memcpy(&length, raw, sizeof(Length));
    return {raw + sizeof(Length), length};
}

}  // namespace muster
