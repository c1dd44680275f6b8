#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace muster::cli::bench {

struct ProgramFile {
    std::uint64_t bytes = 0;
    bool stripped = true;  // it has no table of symbols
};

// Reads what a program of this machine (ELF, 64 bit) is. Errors: not_found (no such file, or it
// cannot be read), bad_content (something else).
[[nodiscard]] Result<ProgramFile> describe_program(const std::string& path);

}  // namespace muster::cli::bench
