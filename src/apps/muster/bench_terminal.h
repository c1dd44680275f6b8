#pragma once

#include <string>

#include "apps/muster/bench/report.h"
#include "base/time.h"

namespace muster::cli {

// From now on Ctrl-C and SIGTERM only make stop_asked() true; a second one ends the program at
// once.
void catch_stops();
[[nodiscard]] bool stop_asked();

// What goes on, on one line of a terminal that is written anew; nothing where nobody looks.
class Progress {
public:
    Progress();
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void say(const std::string& what);
    void clear();

private:
    bool watched_;
    bool shown_ = false;
    Duration next_;
};

// As tables with notes on standard error, or as one JSON object ("json").
void print_report(const bench::Report& told, const std::string& output);

}  // namespace muster::cli
