#pragma once

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "apps/muster/query_commands.h"
#include "apps/muster/report.h"
#include "apps/muster/table.h"
#include "base/result.h"
#include "base/time.h"

// What commands that ask a registry's HTTP port once have in common.
namespace muster::cli {

// Part of an answer, to be shown: what is not there is empty, not an error. Keeps the whole answer
// alive. One thread.
class Shown {
public:
    // Errors: bad_content.
    [[nodiscard]] static Result<Shown> parse(const std::string& text);

    // As text whatever its type; a text without its quotes.
    [[nodiscard]] std::string text() const;
    [[nodiscard]] std::string text(std::string_view key) const;
    // The same for a cell of a table, where a list needs no brackets.
    [[nodiscard]] std::string cell(std::string_view key) const;

    // The member `key` as its elements; none when it is no list.
    [[nodiscard]] std::vector<Shown> items(std::string_view key) const;
    [[nodiscard]] Shown member(std::string_view key) const;
    [[nodiscard]] std::vector<std::string> keys() const;
    [[nodiscard]] std::string as_json() const;

private:
    struct Value;
    Shown(std::shared_ptr<const Value> whole, const void* part)
        : whole_(std::move(whole)), part_(part) {}

    std::shared_ptr<const Value> whole_;
    const void* part_;  // in whole_; null: nothing
};

// Asks and parses; an error answer of the registry becomes an Error with its own sentence.
[[nodiscard]] Result<Shown> ask(const QueryOptions& options, const std::string& target,
                                std::string_view method = "GET",
                                Duration patience = std::chrono::seconds(10));

// The same, but an error answer that tells more than the error is an answer, too.
[[nodiscard]] Result<Shown> ask_whole(const QueryOptions& options, const std::string& target,
                                      std::string_view method, Duration patience);

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
        std::printf("%s\n", answer->as_json().c_str());
        return 0;
    }
    print_table(*answer);
    return 0;
}

}  // namespace muster::cli
