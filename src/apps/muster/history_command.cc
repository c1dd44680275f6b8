#include "apps/muster/history_command.h"

#include <algorithm>
#include <cstdio>

#include "apps/muster/ask.h"
#include "apps/muster/http_client.h"

namespace muster::cli {
namespace {

constexpr int kAllAnswered = 0;
constexpr int kNotAll = 3;

std::string target_of(const HistoryOptions& options) {
    std::string target = "/api/v1/history?service=" + percent_encode(options.service) +
                         "&limit=" + std::to_string(options.limit);
    if (!options.address.empty()) {
        target += "&address=" + percent_encode(options.address);
    }
    if (!options.since.empty()) {
        target += "&since=" + percent_encode(options.since);
    }
    if (!options.until.empty()) {
        target += "&until=" + percent_encode(options.until);
    }
    return target;
}

void print_records(const Shown& answer) {
    Table table({"AT", "WHAT", "ADDRESS", "WHY", "BY", "CLIENT", "NOTED BY"});
    for (const Shown& record : answer.items("records")) {
        table.add({record.text("at"), record.text("what"), record.cell("addresses"),
                   record.text("why"), record.text("by"), record.text("client_address"),
                   record.text("noted_by")});
    }
    print(table, "nothing is known of it");
}

void print_notes(const Shown& answer) {
    std::fflush(stdout);
    if (answer.text("more") == "true") {
        std::fprintf(stderr, "note: there are older ones; raise --limit\n");
    }
    for (const Shown& node : answer.items("nodes")) {
        const std::string name = printable(node.text("node"));
        if (!node.text("refused").empty()) {
            std::fprintf(stderr, "note: %s told nothing: %s\n", name.c_str(),
                         printable(node.text("refused")).c_str());
        } else if (!node.text("since").empty() && answer.text("more") != "true") {
            std::fprintf(stderr, "note: what %s keeps of it goes back to %s\n", name.c_str(),
                         node.text("since").c_str());
        }
    }
    for (const Shown& lost : answer.items("lost")) {
        std::fprintf(stderr, "note: %s lost %s records between %s and %s\n",
                     printable(lost.text("node")).c_str(), lost.text("records").c_str(),
                     lost.text("from").c_str(), lost.text("to").c_str());
    }
    for (const Shown& node : answer.items("silent")) {
        std::fprintf(stderr, "note: no answer from %s\n", printable(node.text()).c_str());
    }
}

}  // namespace

int run_history(const HistoryOptions& options) {
    const auto answer = ask(options.query, target_of(options));
    if (!answer) {
        return report(answer.error());
    }
    if (options.query.output == "json") {
        std::printf("%s\n", answer->as_json().c_str());
    } else {
        print_records(*answer);
        print_notes(*answer);
    }
    const auto nodes = answer->items("nodes");
    const bool all =
        answer->items("silent").empty() &&
        std::ranges::all_of(nodes, [](const Shown& node) { return node.text("refused").empty(); });
    return all ? kAllAnswered : kNotAll;
}

}  // namespace muster::cli
