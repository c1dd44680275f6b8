#pragma once

#include <string>
#include <vector>

namespace muster::cli {

// Control characters are shown as '?', so that what a registry holds cannot steer the terminal.
[[nodiscard]] std::string printable(std::string text);

// Rows under headings, columns padded to their widest cell (in code points), all of it printable().
class Table {
public:
    explicit Table(std::vector<std::string> headings);

    // Requires: as many cells as headings.
    void add(std::vector<std::string> cells);

    [[nodiscard]] std::string to_string() const;
    [[nodiscard]] bool empty() const {
        return rows_.size() == 1;
    }

private:
    std::vector<std::vector<std::string>> rows_;  // headings first
};

}  // namespace muster::cli
