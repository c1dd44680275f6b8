#include "apps/muster/drain_command.h"

#include <cstdio>

#include "apps/muster/ask.h"
#include "apps/muster/asked_by.h"
#include "apps/muster/http_client.h"

namespace muster::cli {
namespace {

constexpr int kUnconfirmed = 3;
// Over the longest timeout a server takes, and what it allows itself beyond that.
constexpr Duration kPatience = std::chrono::minutes(11);

std::string target_of(const DrainOptions& options, const char* what) {
    return std::string("/api/v1/") + what + "?service=" + percent_encode(options.service) +
           "&address=" + percent_encode(options.address) + asked_by_parameter(options.asked_by);
}

std::string subscribers(const std::string& count) {
    return count + (count == "1" ? " subscriber" : " subscribers");
}

void print_unconfirmed(const Shown& answer) {
    Table table({"CLIENT", "SESSION", "APP", "HAS VERSION", "CONGESTED"});
    for (const Shown& list : answer.items("lists")) {
        table.add({list.text("client_address"), list.text("session"), list.text("app"),
                   list.text("acknowledged"), list.text("congested")});
    }
    if (!table.empty()) {
        std::printf("%s", table.to_string().c_str());
    }
    if (answer.text("more") == "true") {
        std::printf("and more\n");
    }
}

void note_copies(const Shown& answer) {
    for (const Shown& node : answer.items("lacking")) {
        std::fprintf(stderr,
                     "note: %s has not said that it remembers this; when the other copies of the "
                     "service are lost, so is this\n",
                     printable(node.text()).c_str());
    }
}

void print_drained(const Shown& answer) {
    const std::string address = printable(answer.text("address"));
    const std::string count = answer.text("subscribers");
    if (answer.text("drained") == "true") {
        std::printf("%s is drained: %s acknowledged a list without it, within %s ms\n",
                    address.c_str(), subscribers(count).c_str(), answer.text("waited_ms").c_str());
    } else {
        std::printf("%s\n", printable(answer.member("error").text("message")).c_str());
        print_unconfirmed(answer);
    }
    std::fflush(stdout);
    if (answer.text("changed") == "0") {
        std::fprintf(stderr, "note: it was drained already\n");
    }
    if (answer.text("gone") == "true") {
        std::fprintf(stderr, "note: it has left meanwhile\n");
    }
    if (answer.text("others") == "0") {
        std::fprintf(stderr, "note: no instance of the service is left in the lists\n");
    }
    note_copies(answer);
}

}  // namespace

int run_drain(const DrainOptions& options) {
    const auto answer = ask_whole(
        options.query, target_of(options, "drain") + "&timeout=" + percent_encode(options.timeout),
        "POST", kPatience);
    if (!answer) {
        return report(answer.error());
    }
    if (options.query.output == "json") {
        std::printf("%s\n", answer->as_json().c_str());
    } else {
        print_drained(*answer);
    }
    return answer->text("drained") == "true" ? 0 : kUnconfirmed;
}

int run_restore(const DrainOptions& options) {
    return show(
        options.query, target_of(options, "restore") + "&ramp=" + percent_encode(options.ramp),
        [](const Shown& answer) {
            const std::string ramp = answer.text("ramp_ms");
            std::printf("%s is in the lists again%s\n", printable(answer.text("address")).c_str(),
                        ramp == "0" ? "" : ("; its weight grows for " + ramp + " ms").c_str());
            std::fflush(stdout);
            note_copies(answer);
        },
        "POST");
}

}  // namespace muster::cli
