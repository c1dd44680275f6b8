#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "runtime/links/hello.h"

namespace muster::cli {

// A meta that this node is not linked with, and why, when either side refused the link.
struct MissingMeta {
    std::string node;
    std::string address;
    std::optional<runtime::RefusalReason> refusal;
};

// For people, behind what a node waits for: with how many metas it is linked, which others cannot
// be reached where, and what to look at. Names a few of many.
[[nodiscard]] std::string say_missing(const std::vector<MissingMeta>& missing, std::size_t all);

}  // namespace muster::cli
