#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/load/latencies.h"
#include "apps/muster/bench/sizes.h"

namespace muster::cli::bench {

// One figure: either how long something took, or a number.
struct Figure {
    std::string metric;                             // stable name, e.g. "change_to_last_subscriber"
    std::string what;                               // for people, e.g. "change to last subscriber"
    std::optional<std::uint64_t> subscribers = {};  // of a curve: with so many of them
    std::optional<load::Quantiles> took = {};
    double value = 0;
    std::string unit = {};  // of `value`
};

// What the servers' processes took and hold, summed.
struct ServerFigures {
    double cpu_seconds = 0;
    double rss_bytes = 0;
    std::uint64_t processes = 0;
    double started = 0;  // sum of their start times: another one means that one was restarted
};

// What all subscribers were shown at the end, against what was published.
struct ViewsFigures {
    std::string digest;  // of what was published
    std::uint64_t subscribers = 0;
    std::uint64_t differing = 0;  // that are shown something else
};

// All that one run tells.
struct Report {
    std::string bench;
    std::string run;      // what all its names begin with
    std::string servers;  // as given
    std::string machine;
    unsigned cores = 0;
    bool same_host = false;
    SizeWords size;
    bool push = true;
    bool load = true;  // clients loaded a server; otherwise only figures and sizes are shown
    bool interrupted = false;
    double seconds = 0;  // of what was measured

    std::vector<Figure> figures;
    bool traffic_known = true;  // bytes, and which pushes had the whole list
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_received = 0;
    double own_cpu_seconds = 0;
    double own_rss_bytes = 0;
    std::optional<ServerFigures> server;
    std::optional<ViewsFigures> views;  // where they were compared

    std::uint64_t pushes = 0;
    std::uint64_t whole_pushes = 0;
    std::uint64_t false_removals = 0;
    std::uint64_t backward = 0;
    std::uint64_t not_told = 0;     // changes that did not reach all in time
    std::uint64_t refused = 0;      // items that the server refused
    std::uint64_t left_behind = 0;  // entries that could not be taken back
    std::vector<std::string> notes;
};

// 0: all went as it should; 1: the server refused some, or what was registered could not all be
// taken back; 3: interrupted, or something was not told, falsely removed or shown in an older
// state, or views differ at the end.
[[nodiscard]] int exit_status(const Report& report);

// One JSON object.
[[nodiscard]] std::string to_json(const Report& report);

using Rows = std::vector<std::vector<std::string>>;  // headings first

// For people: what took how long, and everything else.
[[nodiscard]] Rows latency_rows(const Report& report);
[[nodiscard]] Rows value_rows(const Report& report);

// "publishers 1, subscribers 100".
[[nodiscard]] std::string in_words(const SizeWords& size);
// "870 us", "1.25 ms", "12.3 s"; "3.4 MB".
[[nodiscard]] std::string in_words(Duration took);
[[nodiscard]] std::string bytes_in_words(double bytes);

}  // namespace muster::cli::bench
