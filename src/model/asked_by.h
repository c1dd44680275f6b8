#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/ids.h"

// What operators, and programs in their stead, call themselves when they ask for something:
// "ana@ops1". It is what the asker says: nothing proves it.
namespace muster {

inline constexpr std::size_t kAskedByBytesMax = 64;

// An operator's word: who, empty when that was not told, and where it was asked.
struct OperatorWord {
    NodeId at;
    std::string asked_by;

    [[nodiscard]] bool operator==(const OperatorWord&) const = default;
};

// Whether `name` may be one: printable UTF-8 of at most kAskedByBytesMax bytes; the empty one says
// nothing. Errors: invalid_argument, with what was expected.
[[nodiscard]] Result<void> check_asked_by(std::string_view name);

// The name nearest to `text` that may be one: '?' for what cannot be shown, cut where it is too
// long.
[[nodiscard]] std::string asked_by_of(std::string_view text);

}  // namespace muster
