#include "apps/muster/completion.h"

#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/config/config_table.h"

namespace muster::cli {
namespace {

constexpr std::size_t kTypingMistakesMax = 3;

constexpr std::string_view kHead =
    R"(# Completion for muster in bash: source <(muster completion bash)
_muster() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words="" part=""
    [[ $COMP_CWORD -lt 3 ]] || part=${COMP_WORDS[2]}
    COMPREPLY=()
    case $before in
        -o | --output) words="table json" ;;
        --scope) words="zone dataCenter global" ;;
        -c | --config) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --data-dir) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
    esac
    if [[ -z $words ]]; then
        case $COMP_CWORD:${COMP_WORDS[1]}:$part in
)";

constexpr std::string_view kTail = R"(            *:completion:*) words="bash" ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _muster muster
)";

}  // namespace

std::string bash_completion(const std::vector<CommandWords>& commands) {
    std::vector<std::string> names;
    std::string cases;
    for (const CommandWords& command : commands) {
        names.push_back(command.name);
        if (command.name == "completion") {
            continue;
        }
        for (const CommandWords& part : command.parts) {
            cases += fmt::format("            *:{}:{}) words=\"{}\" ;;\n", command.name, part.name,
                                 fmt::join(part.options, " "));
        }
        cases += fmt::format("            *:{}:*) words=\"{}\" ;;\n", command.name,
                             fmt::join(command.options, " "));
    }
    return fmt::format("{}            1:*) words=\"{} --help --version\" ;;\n{}{}", kHead,
                       fmt::join(names, " "), cases, kTail);
}

std::string nearest_command(const std::vector<CommandWords>& commands, const std::string& word) {
    std::string nearest;
    std::size_t fewest = kTypingMistakesMax + 1;
    for (const CommandWords& command : commands) {
        const std::size_t edits = runtime::edit_distance(word, command.name);
        if (edits < fewest && edits < command.name.size()) {
            fewest = edits;
            nearest = command.name;
        }
    }
    return nearest;
}

}  // namespace muster::cli
