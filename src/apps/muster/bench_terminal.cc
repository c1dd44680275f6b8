#include "apps/muster/bench_terminal.h"

#include <csignal>
#include <cstdio>

#include <unistd.h>

#include "apps/load/machine.h"
#include "apps/muster/report.h"
#include "apps/muster/table.h"

namespace muster::cli {
namespace {

constexpr Duration kProgressAfter = std::chrono::seconds(1);
constexpr Duration kProgressStep = std::chrono::milliseconds(200);
constexpr int kInterrupted = 130;

volatile std::sig_atomic_t stops_asked = 0;

// The first one ends the load and takes it back; who cannot wait for that asks again.
void ask_to_stop(int /*signal*/) {
    stops_asked = stops_asked + 1;
    if (stops_asked > 1) {
        ::_exit(kInterrupted);
    }
}

void print_rows(const bench::Rows& rows) {
    Table table(rows.front());
    for (std::size_t i = 1; i < rows.size(); ++i) {
        table.add(rows[i]);
    }
    std::printf("%s", table.to_string().c_str());
}

}  // namespace

void catch_stops() {
    struct sigaction action{};
    action.sa_handler = ask_to_stop;  // no SA_RESTART: what waits wakes up
    sigemptyset(&action.sa_mask);
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
}

bool stop_asked() {
    return stops_asked > 0;
}

Progress::Progress()
    : watched_(::isatty(STDERR_FILENO) != 0), next_(load::now() + kProgressAfter) {}

Progress::~Progress() {
    clear();
}

void Progress::say(const std::string& what) {
    if (watched_ && load::now() >= next_) {
        std::fprintf(stderr, "\r\033[K%s", what.c_str());
        next_ = load::now() + kProgressStep;
        shown_ = true;
    }
}

void Progress::clear() {
    if (shown_) {
        std::fprintf(stderr, "\r\033[K");
        shown_ = false;
    }
}

void print_report(const bench::Report& told, const std::string& output) {
    if (output == "json") {
        std::printf("%s\n", bench::to_json(told).c_str());
        return;
    }
    if (const auto times = bench::latency_rows(told); times.size() > 1) {
        print_rows(times);
        std::printf("\n");
    }
    print_rows(bench::value_rows(told));
    std::fflush(stdout);
    for (const std::string& note : told.notes) {
        std::fprintf(stderr, "note: %s\n", printable(note).c_str());
    }
}

}  // namespace muster::cli
