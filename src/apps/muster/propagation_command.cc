#include "apps/muster/propagation_command.h"

#include <cstdio>

#include "apps/muster/ask.h"
#include "apps/muster/http_client.h"

namespace muster::cli {
namespace {

constexpr int kAllHaveIt = 0;
constexpr int kNotAll = 3;

// "1.2 s", "40 ms"; empty of nothing.
std::string time_of(const std::string& ms) {
    if (ms.size() <= 3) {
        return ms.empty() ? "" : ms + " ms";
    }
    return ms.substr(0, ms.size() - 3) + "." + ms.substr(ms.size() - 3, 1) + " s";
}

void print_summary(const Shown& answer) {
    const std::string leader = printable(answer.text("leader"));
    if (leader.empty()) {
        std::printf("the leader of %s did not answer; sessions compare with what they have\n",
                    printable(answer.text("service")).c_str());
    } else {
        std::printf("%s: version %s by %s, %s instances", printable(answer.text("service")).c_str(),
                    answer.text("version").c_str(), leader.c_str(),
                    answer.text("instances").c_str());
        const std::string drained = answer.text("drained");
        std::printf("%s\n", drained == "0" ? "" : (", " + drained + " drained").c_str());
    }
    std::printf("%s subscribers, %s behind, %s congested\n", answer.text("subscribers").c_str(),
                answer.text("behind").c_str(), answer.text("congested").c_str());
}

void print_lists(const Shown& answer) {
    Table table({"CLIENT", "SESSION", "APP", "SCOPE", "HAS VERSION", "IN FLIGHT", "BEHIND",
                 "CHANGES", "SINCE", "CONGESTED"});
    for (const Shown& list : answer.items("lists")) {
        table.add({list.text("client_address"), list.text("session"), list.text("app"),
                   list.text("scope"), list.text("acknowledged"), list.text("in_flight"),
                   list.text("behind"), list.text("changes_behind"),
                   time_of(list.text("behind_ms")), list.text("congested")});
    }
    print(table, "nobody subscribes to this service");
}

// "0.4 ms", "40.0 ms", "1200.0 ms" of microseconds.
std::string ms_of(const std::string& us) {
    const std::string padded = us.size() < 4 ? std::string(4 - us.size(), '0') + us : us;
    const std::size_t whole = padded.size() - 3;
    return padded.substr(0, whole) + "." + padded.substr(whole, 1) + " ms";
}

void print_stages(const Shown& answer) {
    std::printf("\nmeasured for %s\n", time_of(answer.text("measured_ms")).c_str());
    Table table({"STAGE", "COUNT", "P50", "P99", "MAX", "BELOW ZERO"});
    for (const Shown& stage : answer.items("stages")) {
        const bool none = stage.text("count") == "0";
        const auto time = [&](const char* key) { return none ? "" : ms_of(stage.text(key)); };
        table.add({stage.text("stage"), stage.text("count"), time("p50_us"), time("p99_us"),
                   time("max_us"), stage.text("below_zero")});
    }
    print(table, "no session measures this service");
}

void print_notes(const Shown& answer) {
    std::fflush(stdout);
    if (answer.text("more") == "true") {
        std::fprintf(stderr, "note: there are more; raise --limit\n");
    }
    for (const Shown& who : answer.items("silent")) {
        std::fprintf(stderr, "note: no answer from %s (%s)\n", printable(who.text("node")).c_str(),
                     who.text("role").c_str());
    }
}

}  // namespace

int run_propagation(const PropagationOptions& options) {
    std::string target = "/api/v1/propagation?service=" + percent_encode(options.service) +
                         "&limit=" + std::to_string(options.limit);
    if (options.stages) {
        target += "&for=" + percent_encode(options.measure);
    }
    const auto answer = ask(options.query, target, options.stages ? "POST" : "GET");
    if (!answer) {
        return report(answer.error());
    }
    if (options.query.output == "json") {
        std::printf("%s\n", answer->as_json().c_str());
    } else {
        print_summary(*answer);
        print_lists(*answer);
        if (options.stages) {
            print_stages(*answer);
        }
        print_notes(*answer);
    }
    const bool all = answer->items("silent").empty() && answer->text("behind") == "0";
    return all ? kAllHaveIt : kNotAll;
}

}  // namespace muster::cli
