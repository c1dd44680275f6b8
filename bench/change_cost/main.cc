// muster-change-cost PUBLICATIONS CHANGES: a simulated cluster that holds so many publications, run
// by `muster-bench push` under callgrind, which is told what to count: first what the cluster does
// for a while by itself, then the same while so many publications change.
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "sim/scale/scale_run.h"

#ifdef MUSTER_CALLGRIND
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#define CALLGRIND_DUMP_STATS
#define CALLGRIND_ZERO_STATS
#endif

namespace {

using std::chrono::seconds;

constexpr std::uint64_t kWatched = 50;  // services
constexpr seconds kWindow(2);
// What ScaleRun::change() takes beside its window.
constexpr seconds kAfter(1);

std::uint64_t number(const char* text) {
    const std::string_view digits(text);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), value);
    if (error != std::errc{} || end != digits.end() || value == 0) {
        std::fprintf(stderr, "usage: muster-change-cost PUBLICATIONS CHANGES\n");
        std::exit(2);
    }
    return value;
}

void must(const std::string& complaint) {
    if (!complaint.empty()) {
        std::fprintf(stderr, "muster-change-cost: %s\n", complaint.c_str());
        std::exit(1);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::uint64_t publications = number(argc == 3 ? argv[1] : "");
    const std::uint64_t changes = number(argv[2]);
    muster::sim::ScaleRun run({.metas = 1, .data = 3, .sessions = 2});
    must(run.start());
    must(run.publish(publications));
    run.watch(kWatched);
    static_cast<void>(run.change(changes, kWindow));  // warms up
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
    static_cast<void>(run.rest(kWindow + kAfter));
    CALLGRIND_DUMP_STATS;
    static_cast<void>(run.change(changes, kWindow));
    CALLGRIND_DUMP_STATS;
    CALLGRIND_STOP_INSTRUMENTATION;
    must(run.differs());
    return 0;
}
