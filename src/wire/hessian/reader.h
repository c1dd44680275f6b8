#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"
#include "wire/hessian/value.h"

namespace muster::hessian {

// What one value may cost. The tree of a value within the limits takes at most about
// values_max * sizeof(Value) + class_fields_max * 40 bytes above the bytes that were read.
struct HessianLimits {
    std::size_t depth_max = 64;            // lists, maps and objects within one another
    std::size_t values_max = 400'000;      // of the whole tree
    std::size_t list_items_max = 200'000;  // of one list; entries of one map
    std::size_t references_max = 200'000;  // lists, maps and objects that could be referred to
    std::size_t string_bytes_max = std::size_t{16} << 20U;  // of one string or byte array
    std::size_t class_fields_max = 2'000;                   // of all class definitions together
    std::size_t classes_max = 200;  // class definitions and, apart, type names
};

struct ReadValue {
    Value value;
    std::size_t size = 0;  // bytes it took; what follows was not looked at
};

// Reads the value at the beginning of `bytes`. Declared lengths are never believed: memory is taken
// only for what has been read. A reference to something that has not begun is refused.
// Errors: bad_content (cut, unknown tag, malformed), too_large (over a limit).
[[nodiscard]] Result<ReadValue> read_value(std::string_view bytes,
                                           const HessianLimits& limits = {});

}  // namespace muster::hessian
