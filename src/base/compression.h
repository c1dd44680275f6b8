#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace muster {

// One frame of Zstandard (RFC 8878). From level 1, which is fastest, to 19.
[[nodiscard]] std::string compress(std::string_view bytes, int level);

// What compress() was given. Memory grows with what is really in the frame, whatever it says.
// Errors: bad_content when it is not one whole frame, too_large when there is more than `bytes_max`
// in it.
[[nodiscard]] Result<std::string> decompress(std::string_view frame, std::size_t bytes_max);

}  // namespace muster
