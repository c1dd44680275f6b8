#include "apps/muster/verify_command.h"

#include <chrono>
#include <cstdio>
#include <future>
#include <map>
#include <string>
#include <vector>

#include "apps/muster/ask.h"
#include "apps/muster/report.h"
#include "apps/muster/table.h"

namespace muster::cli {
namespace {

constexpr int kEqual = 0;
constexpr int kDifferent = 1;
constexpr int kNotKnown = 3;

// Over what the server allows itself.
constexpr Duration kPatience = std::chrono::seconds(20);
constexpr std::size_t kOpenShown = 5;

int status_of(const Shown& answer) {
    const std::string result = answer.text("result");
    return result == "equal" ? kEqual : result == "different" ? kDifferent : kNotKnown;
}

// The answer, which a node that does not answer delays.
Result<Shown> ask_patiently(const QueryOptions& options) {
    auto answer = std::async(std::launch::async, [&options] {
        return ask(options, "/api/v1/cluster/verify", "GET", kPatience);
    });
    for (int seconds = 1; answer.wait_for(std::chrono::seconds(1)) != std::future_status::ready;
         ++seconds) {
        std::fprintf(stderr,
                     "note: %d s: comparing; some node is slow to answer, or much changes\n",
                     seconds);
    }
    return answer.get();
}

std::string equal_of(const Shown& answer, const char* what) {
    const std::string all = answer.text(what);
    const std::string equal = answer.text(std::string(what) + "_equal");
    return all + (equal == all ? ", all equal" : ", of which equal " + equal);
}

// Those of sessions that are gone are the leaders' alone.
std::string publications_of(const Shown& answer) {
    std::string text = answer.text("publications");
    if (const std::string orphans = answer.text("orphans"); orphans != "0") {
        text += ", " + orphans + " of sessions that ended";
    }
    if (const std::string held = answer.text("held_back"); held != "0") {
        text += ", " + held + " of sessions that are silent";
    }
    return text;
}

void print_finding(const char* title, const Shown& finding) {
    std::printf("%s: %s.\n  To do: %s.\n", title, printable(finding.text("what")).c_str(),
                printable(finding.text("do")).c_str());
}

// One line for the same of many slots.
void print_open(const Shown& answer) {
    std::map<std::string, std::vector<Shown>> alike;
    for (const Shown& one : answer.items("not_compared")) {
        alike[one.text("kind") + " " + one.text("node") + " " + one.text("leader")].push_back(one);
    }
    std::size_t shown = 0;
    for (const auto& [what, those] : alike) {
        if (shown++ == kOpenShown) {
            std::printf("  and more; -o json lists them\n");
            return;
        }
        const std::string others =
            those.size() == 1 ? "" : ", and " + std::to_string(those.size() - 1) + " more like it";
        std::printf("not compared: %s%s\n", printable(those.front().text("what")).c_str(),
                    others.c_str());
    }
}

void print_findings(const Shown& answer) {
    const auto differences = answer.items("differences");
    if (!differences.empty()) {
        print_finding("first difference", differences.front());
    }
    if (differences.size() > 1) {
        std::printf("  %zu differences in all; -o json lists them\n", differences.size());
    }
    print_open(answer);
    for (const Shown& who : answer.items("silent")) {
        std::printf("no answer: %s (%s)\n", printable(who.text("node")).c_str(),
                    who.text("role").c_str());
    }
}

void print_verdict(const Shown& answer) {
    Table table({"COMPARED", ""});
    table.add({"slots", equal_of(answer, "slots")});
    table.add({"copies", equal_of(answer, "copies")});
    table.add({"sessions", answer.text("sessions")});
    table.add({"publications", publications_of(answer)});
    std::printf("%s", table.to_string().c_str());
    print_findings(answer);
    const std::string result = answer.text("result");
    std::printf("%s\n", result == "equal"       ? "equal: all copies and sessions hold the same"
                        : result == "different" ? "different"
                                                : "incomplete: nothing differs as far as could be "
                                                  "compared");
}

}  // namespace

int run_verify(const QueryOptions& options) {
    const auto answer = ask_patiently(options);
    if (!answer) {
        const int status = report(answer.error());
        return status == kDifferent ? kNotKnown : status;
    }
    if (options.output == "json") {
        std::printf("%s\n", answer->as_json().c_str());
    } else {
        print_verdict(*answer);
    }
    return status_of(*answer);
}

}  // namespace muster::cli
