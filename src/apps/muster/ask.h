#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "apps/muster/query_commands.h"
#include "apps/muster/report.h"
#include "apps/muster/table.h"
#include "base/result.h"

// What commands that ask a registry's HTTP port once have in common. For .cc files of this folder.
namespace muster::cli {

namespace json = boost::json;

// The text of a member, whatever its type; empty when there is none.
[[nodiscard]] std::string text(const json::object& object, std::string_view key);

// The same for a cell of a table, where a list needs no brackets.
[[nodiscard]] std::string cell(const json::object& object, std::string_view key);

// The members of a list; none when there is no such list.
[[nodiscard]] const json::array& items(const json::object& object, std::string_view key);

// Asks and parses; an error answer of the registry becomes an Error with its own sentence.
[[nodiscard]] Result<json::object> ask(const QueryOptions& options, const std::string& target,
                                       std::string_view method = "GET");

// Prints the rows; for a person who sees none, that there are none.
void print(const Table& table, const char* nothing);

// Asks, and prints the answer as it is or by `print_table`. Returns the exit status.
template <typename Print>
int show(const QueryOptions& options, const std::string& target, const Print& print_table,
         std::string_view method = "GET") {
    const auto answer = ask(options, target, method);
    if (!answer) {
        return report(answer.error());
    }
    if (options.output == "json") {
        std::printf("%s\n", json::serialize(*answer).c_str());
        return 0;
    }
    print_table(*answer);
    return 0;
}

}  // namespace muster::cli
