#include "apps/muster/bench/report.h"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace muster::cli::bench {
namespace {

namespace json = boost::json;

constexpr int kOk = 0;
constexpr int kRefused = 1;
constexpr int kNotAsItShould = 3;

double ms(Duration took) {
    return static_cast<double>(took.count()) / 1e6;
}

json::object json_of(const Figure& figure) {
    json::object made{{"metric", figure.metric}};
    if (figure.subscribers) {
        made["subscribers"] = *figure.subscribers;
    }
    if (figure.took) {
        made["unit"] = "ms";
        made["count"] = figure.took->count;
        made["p50"] = ms(figure.took->p50);
        made["p99"] = ms(figure.took->p99);
        made["p999"] = ms(figure.took->p999);
        made["max"] = ms(figure.took->max);
    } else {
        made["unit"] = figure.unit;
        made["value"] = figure.value;
    }
    return made;
}

json::object sizes_of(const Report& report) {
    json::object made;
    for (const auto& [option, value] : report.size) {
        made[option] = value;
    }
    return made;
}

json::value if_known(const Report& report, std::uint64_t value) {
    return report.traffic_known ? json::value(value) : json::value(nullptr);
}

std::string number(double value) {
    return value >= 1000 || value == static_cast<double>(static_cast<std::int64_t>(value))
               ? fmt::format("{:.0f}", value)
               : fmt::format("{:.4g}", value);
}

std::string loader_words(const Report& report) {
    return report.same_host ? "on the server's machine: they share its cores"
                            : "on another machine than the server";
}

std::string name_of(const Figure& figure) {
    return figure.subscribers ? fmt::format("{}, {} subscribers", figure.what, *figure.subscribers)
                              : figure.what;
}

std::string shown(const Figure& figure) {
    return figure.unit == "B"
               ? bytes_in_words(figure.value)
               : number(figure.value) + (figure.unit.empty() ? "" : " ") + figure.unit;
}

std::string views_words(const ViewsFigures& views) {
    return views.differing == 0
               ? "yes, digest " + views.digest
               : fmt::format("no: {} of {} subscribers are shown something else than digest {}",
                             views.differing, views.subscribers, views.digest);
}

std::string processes_words(const ServerFigures& server) {
    return server.processes == 1 ? "" : fmt::format(" of {} processes", server.processes);
}

}  // namespace

int exit_status(const Report& report) {
    if (report.refused > 0 || report.left_behind > 0) {
        return kRefused;
    }
    const bool wrong = report.false_removals > 0 || report.backward > 0 || report.not_told > 0 ||
                       (report.views && report.views->differing > 0);
    return wrong || report.interrupted ? kNotAsItShould : kOk;
}

std::string to_json(const Report& report) {
    json::array figures;
    for (const Figure& figure : report.figures) {
        figures.push_back(json_of(figure));
    }
    json::array notes;
    for (const std::string& note : report.notes) {
        notes.emplace_back(note);
    }
    json::object made{{"bench", report.bench},
                      {"muster", MUSTER_VERSION},
                      {"run", report.run},
                      {"servers", report.servers},
                      {"machine", report.machine},
                      {"cores", report.cores},
                      {"same_host", report.same_host},
                      {"push", report.push},
                      {"interrupted", report.interrupted},
                      {"size", sizes_of(report)},
                      {"seconds", report.seconds},
                      {"figures", figures},
                      {"bytes_sent", if_known(report, report.bytes_sent)},
                      {"bytes_received", if_known(report, report.bytes_received)},
                      {"loader_cpu_seconds", report.own_cpu_seconds},
                      {"loader_rss_bytes", report.own_rss_bytes},
                      {"pushes", report.pushes},
                      {"whole_pushes", if_known(report, report.whole_pushes)},
                      {"false_removals", report.false_removals},
                      {"versions_backward", report.backward},
                      {"not_told", report.not_told},
                      {"refused", report.refused},
                      {"left_behind", report.left_behind},
                      {"notes", notes}};
    if (report.server) {
        made["server"] = json::object{{"cpu_seconds", report.server->cpu_seconds},
                                      {"rss_bytes", report.server->rss_bytes},
                                      {"processes", report.server->processes}};
    } else {
        made["server"] = nullptr;
    }
    if (report.views) {
        made["views"] = json::object{{"equal", report.views->differing == 0},
                                     {"digest", report.views->digest},
                                     {"subscribers", report.views->subscribers},
                                     {"differing", report.views->differing}};
    } else {
        made["views"] = nullptr;
    }
    return json::serialize(made);
}

Rows latency_rows(const Report& report) {
    Rows rows{{"TIME", "COUNT", "P50", "P99", "P99.9", "MAX"}};
    for (const Figure& figure : report.figures) {
        if (figure.took) {
            rows.push_back({name_of(figure), std::to_string(figure.took->count),
                            in_words(figure.took->p50), in_words(figure.took->p99),
                            in_words(figure.took->p999), in_words(figure.took->max)});
        }
    }
    return rows;
}

Rows value_rows(const Report& report) {
    Rows rows{{"WHAT", "VALUE"}};
    const auto add = [&](std::string what, std::string value) {
        rows.push_back({std::move(what), std::move(value)});
    };
    for (const Figure& figure : report.figures) {
        if (!figure.took) {
            add(name_of(figure), shown(figure));
        }
    }
    add("load", in_words(report.size));
    add("measured for", fmt::format("{:.3g} s", report.seconds));
    add("machine", report.machine);
    if (!report.load) {
        return rows;
    }
    if (report.traffic_known) {
        add("pushes",
            fmt::format("{}, of these {} with the whole list", report.pushes, report.whole_pushes));
        add("sent, received", bytes_in_words(static_cast<double>(report.bytes_sent)) + ", " +
                                  bytes_in_words(static_cast<double>(report.bytes_received)));
    } else {
        add("lists shown", std::to_string(report.pushes));
    }
    add("loader", fmt::format("{:.2f} s CPU, {} resident", report.own_cpu_seconds,
                              bytes_in_words(report.own_rss_bytes)));
    add("server",
        report.server
            ? fmt::format("{:.2f} s CPU, {} resident{}", report.server->cpu_seconds,
                          bytes_in_words(report.server->rss_bytes), processes_words(*report.server))
            : "not known (--http)");
    add("not told in time", std::to_string(report.not_told));
    add("false removals", std::to_string(report.false_removals));
    add("shown in an older state", std::to_string(report.backward));
    add("refused", std::to_string(report.refused));
    add("left behind", std::to_string(report.left_behind));
    if (report.views) {
        add("views equal", views_words(*report.views));
    }
    add("loader is", loader_words(report));
    return rows;
}

std::string in_words(const SizeWords& size) {
    std::string words;
    for (const auto& [option, value] : size) {
        words.append(words.empty() ? "" : ", ").append(option).append(" ").append(value);
    }
    return words;
}

std::string in_words(Duration took) {
    const double us = static_cast<double>(took.count()) / 1e3;
    if (us < 1000) {
        return fmt::format("{:.0f} us", us);
    }
    return us < 1e6 ? fmt::format("{:.3g} ms", us / 1e3) : fmt::format("{:.3g} s", us / 1e6);
}

std::string bytes_in_words(double bytes) {
    if (bytes < 1e4) {
        return fmt::format("{:.0f} B", bytes);
    }
    if (bytes < 1e6) {
        return fmt::format("{:.1f} KB", bytes / 1e3);
    }
    return bytes < 1e9 ? fmt::format("{:.1f} MB", bytes / 1e6)
                       : fmt::format("{:.2f} GB", bytes / 1e9);
}

}  // namespace muster::cli::bench
