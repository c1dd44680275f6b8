// muster-bench [GROUP] [--json] [--tiny] [--sizes LIST]: drives the built server and prints
// figures.
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "capacity.h"
#include "push.h"
#include "recovery.h"
#include "standalone.h"
#include "storms.h"

namespace {

using muster::bench::Effort;
using muster::bench::Report;

std::string commit() {
    std::FILE* git = ::popen("git describe --always --dirty 2>/dev/null", "r");
    std::string text(64, '\0');
    if (git == nullptr || std::fgets(text.data(), static_cast<int>(text.size()), git) == nullptr) {
        text = "unknown";
    }
    if (git != nullptr) {
        ::pclose(git);
    }
    return text.substr(0, text.find_first_of("\n\0", 0, 2));
}

void run_standalone(Report& report, const Effort& effort) {
    muster::bench::run_start(report, effort);
    muster::bench::run_latency(report, effort);
    muster::bench::run_fanout(report, effort, effort.fanout_connections.front());
    muster::bench::run_registrations(report, effort);
}

void run_push(Report& report, const Effort& effort) {
    muster::bench::run_push_latency(report, effort);
    for (const std::size_t connections : effort.fanout_connections) {
        muster::bench::run_fanout(report, effort, connections);
    }
    muster::bench::run_many_subscriptions(report, effort);
    muster::bench::run_followed_registrations(report, effort);
    muster::bench::run_long_list(report, effort);
    muster::bench::run_memory(report, effort);
    muster::bench::run_million(report, effort);
    muster::bench::run_instructions(report, effort);
}

int usage() {
    std::fprintf(stderr,
                 "usage: muster-bench [GROUP] [--json] [--tiny] [--sizes SESSIONSxDATA,...]\n"
                 "groups: standalone (the default), push, registrations (of push), storms, "
                 "recovery, capacity\n"
                 "(./dev bench peers, other registries beside this one, is bench/peers/run.py)\n"
                 "--json prints one object a line; --tiny only shows that the work still runs;\n"
                 "--sizes: the clusters that capacity simulates, 30x6,100x20,300x60 unless said\n"
                 "exit status: 0 all bounds hold, 1 some do not, 2 wrong usage\n");
    return 2;
}

int wrong(const std::string& why) {
    std::fprintf(stderr, "muster-bench: %s\n", why.c_str());
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    bool as_json = false;
    Effort effort;
    std::string group = "standalone";
    std::string sizes;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument == "--json") {
            as_json = true;
        } else if (argument == "--tiny") {
            effort = Effort::tiny();
        } else if (argument == "--sizes" && i + 1 < argc) {
            sizes = argv[++i];
        } else if (argument.starts_with("-")) {
            return usage();
        } else {
            group = argument;
        }
    }
    const std::map<std::string, void (*)(Report&, const Effort&)> groups{
        {"standalone", run_standalone},
        {"push", run_push},
        {"registrations", muster::bench::run_followed_registrations},
        {"storms", muster::bench::run_storms},
        {"recovery", muster::bench::run_recovery},
        {"capacity", muster::bench::run_capacity}};
    const auto run = groups.find(group);
    if (run == groups.end()) {
        return usage();
    }
    if (!sizes.empty()) {
        if (group != "capacity") {
            return wrong("--sizes says what capacity simulates; " + group + " simulates nothing");
        }
        auto read = muster::sim::parse_scale_sizes(sizes);
        if (!read) {
            return wrong("--sizes: " + read.error().detail);
        }
        effort.simulated_sizes = std::move(*read);
    }
    Report report(as_json, commit());
    run->second(report, effort);
    return report.all_hold() ? 0 : 1;
}
