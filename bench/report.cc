#include "report.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "apps/load/machine.h"

namespace muster::bench {
namespace {

// Of fewer the 99.9th of a hundred is the longest.
constexpr std::size_t kEnoughForP999 = 1000;

std::string in_words(const Spread& spread) {
    std::string text =
        fmt::format("min {:.5g}  p50 {:.5g}  p99 {:.5g}", spread.min, spread.p50, spread.p99);
    if (spread.count >= kEnoughForP999) {
        text += fmt::format("  p99.9 {:.5g}", spread.p999);
    }
    return text + fmt::format("  max {:.5g}", spread.max);
}

}  // namespace

Spread spread_of(std::vector<double> values) {
    if (values.empty()) {
        return {};
    }
    std::ranges::sort(values);
    const auto at = [&](std::size_t of_thousand) {
        return values[std::min(values.size() - 1, values.size() * of_thousand / 1000)];
    };
    return {.min = values.front(),
            .p50 = at(500),
            .p99 = at(990),
            .p999 = at(999),
            .max = values.back(),
            .count = values.size()};
}

Report::Report(bool as_json, std::string commit)
    : as_json_(as_json), commit_(std::move(commit)), machine_(load::machine_name()) {
    if (!as_json_) {
        std::printf("machine %s, %u cores, commit %s, load generator on the same machine\n",
                    machine_.c_str(), load::cores(), commit_.c_str());
    }
}

void Report::add(const Figure& figure) {
    std::optional<bool> holds;
    if (figure.bound) {
        const double judged = figure.value          ? *figure.value
                              : figure.bound_on_p99 ? figure.spread->p99
                                                    : figure.spread->p50;
        holds = figure.bound->kind == Bound::Kind::at_most ? judged <= figure.bound->limit
                                                           : judged >= figure.bound->limit;
        all_hold_ = all_hold_ && *holds;
    }
    if (as_json_) {
        std::string line = fmt::format(R"({{"bench":"{}","metric":"{}","unit":"{}")", figure.bench,
                                       figure.metric, figure.unit);
        if (figure.value) {
            line += fmt::format(R"(,"value":{:.6g})", *figure.value);
        } else {
            line += fmt::format(R"(,"min":{:.6g},"p50":{:.6g},"p99":{:.6g})", figure.spread->min,
                                figure.spread->p50, figure.spread->p99);
            if (figure.spread->count >= kEnoughForP999) {
                line += fmt::format(R"(,"p999":{:.6g})", figure.spread->p999);
            }
            line += fmt::format(R"(,"max":{:.6g},"count":{})", figure.spread->max,
                                figure.spread->count);
        }
        if (figure.bound) {
            line += fmt::format(R"(,"bound":"{} {} {:g}","holds":{})",
                                figure.value ? "value" : (figure.bound_on_p99 ? "p99" : "p50"),
                                figure.bound->kind == Bound::Kind::at_most ? "<=" : ">=",
                                figure.bound->limit, *holds);
        }
        std::printf("%s,\"machine\":\"%s\",\"cores\":%u,\"same_host\":true,\"commit\":\"%s\"}\n",
                    line.c_str(), machine_.c_str(), load::cores(), commit_.c_str());
    } else {
        std::string text = fmt::format("{:<24} {:<34} ", figure.bench, figure.metric);
        text += figure.value ? fmt::format("{:>12.5g} {}", *figure.value, figure.unit)
                             : in_words(*figure.spread) + " " + figure.unit;
        if (figure.bound) {
            text += fmt::format("   {} {:g}: {}",
                                figure.bound->kind == Bound::Kind::at_most ? "<=" : ">=",
                                figure.bound->limit, *holds ? "holds" : "MISSED");
        }
        std::printf("%s\n", text.c_str());
    }
    std::fflush(stdout);
}

}  // namespace muster::bench
