#pragma once

#include <string>
#include <vector>

namespace muster::cli {

// What may be typed after one command.
struct CommandWords {
    std::string name;
    std::vector<std::string> options;  // "--scope", "-o", names of the parts
    std::vector<CommandWords> parts;   // commands of its own
};

// The script that completes `muster` in bash. Options with a fixed set of values (-o, --scope) and
// those that take a file or folder are completed too.
[[nodiscard]] std::string bash_completion(const std::vector<CommandWords>& commands);

// The command a mistyped `word` was likely meant to be; empty when none is near.
[[nodiscard]] std::string nearest_command(const std::vector<CommandWords>& commands,
                                          const std::string& word);

}  // namespace muster::cli
