#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <sys/wait.h>

#include "process.h"
#include "push.h"
#include "sockets.h"

namespace muster::bench {
namespace {

// The count that callgrind wrote into a dump, "totals: N"; none: there is no such file.
std::optional<double> total_of(const std::string& dump) {
    constexpr std::string_view kTotals = "totals: ";
    std::ifstream file(dump);
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(kTotals)) {
            return std::stod(line.substr(kTotals.size()));
        }
    }
    return std::nullopt;
}

// What one change costs a cluster that holds so many publications.
double instructions_of_a_change(std::size_t publications, std::size_t changes) {
    const TempFolder folder;
    const std::string program =
        std::filesystem::path(Process::program()).parent_path() / "muster-change-cost";
    const std::string dump = folder.path() + "/counted";
    const std::string log = folder.path() + "/log";
    const std::string command = fmt::format(
        "valgrind --tool=callgrind --instr-atstart=no --callgrind-out-file='{}' '{}' {} {} "
        ">'{}' 2>&1",
        dump, program, publications, changes, log);
    const int status = std::system(command.c_str());
    const auto rest = total_of(dump + ".1");
    const auto busy = total_of(dump + ".2");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || !rest || !busy) {
        std::ifstream said(log);
        die("instructions could not be counted: " +
            std::string(std::istreambuf_iterator<char>(said), {}));
    }
    return (*busy - *rest) / static_cast<double>(changes);
}

}  // namespace

void run_instructions(Report& report, const Effort& effort) {
    if (std::system("valgrind --version >/dev/null 2>&1") != 0) {
        std::fprintf(stderr,
                     "muster-bench: there is no valgrind here, so instructions are not counted\n");
        return;
    }
    std::vector<double> counts;
    for (const std::size_t publications : effort.counted_publications) {
        counts.push_back(instructions_of_a_change(publications, effort.counted_changes));
        report.add({.bench = "instructions",
                    .metric = fmt::format("of_a_change_among_{}", publications),
                    .unit = "",
                    .value = counts.back()});
    }
    report.add(
        {.bench = "instructions",
         .metric = "most_over_fewest",
         .unit = "x",
         .value = std::ranges::max(counts) / std::ranges::min(counts),
         .bound = effort.judge ? std::optional(Bound{Bound::Kind::at_most, 1.2}) : std::nullopt});
}

}  // namespace muster::bench
