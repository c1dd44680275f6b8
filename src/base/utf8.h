#pragma once

#include <optional>
#include <string_view>

namespace muster {

// Takes the first code point of `text` away. None: `text` is empty, or does not begin with one in
// well-formed UTF-8 (RFC 3629); it is as it was. Any thread.
[[nodiscard]] std::optional<char32_t> take_code_point(std::string_view& text);

}  // namespace muster
