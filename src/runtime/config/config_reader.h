#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/config/config_table.h"

namespace muster::runtime {

// Puts what the YAML `text` says into the variables of `table`. Keys are nested or dotted
// ("session: {write_wait: 1s}", "session.write_wait: 1s"). Stops at the first mistake; what stood
// before it has been taken. Bounds: 1 MiB, nesting of 8.
// Errors: bad_config, naming `file`, the line and the key, and what was expected or the nearest
// key.
[[nodiscard]] Result<void> read_config_text(const ConfigTable& table, std::string_view text,
                                            std::string_view file);

// The same from a file. Errors: bad_config.
[[nodiscard]] Result<void> read_config_file(const ConfigTable& table, const std::string& file);

// Takes "key=value" as the command line has it (--set). Errors: bad_config.
[[nodiscard]] Result<void> apply_override(const ConfigTable& table, std::string_view assignment);

// The reference page of all keys, in Markdown.
[[nodiscard]] std::string config_reference(const ConfigTable& table);

}  // namespace muster::runtime
