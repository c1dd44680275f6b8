#include "report.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "apps/load/machine.h"

namespace muster::bench {

Spread spread_of(std::vector<double> values) {
    if (values.empty()) {
        return {};
    }
    std::ranges::sort(values);
    const auto at = [&](std::size_t percent) {
        return values[std::min(values.size() - 1, values.size() * percent / 100)];
    };
    return {.min = values.front(),
            .p50 = at(50),
            .p99 = at(99),
            .max = values.back(),
            .count = values.size()};
}

Report::Report(bool as_json, std::string commit)
    : as_json_(as_json), commit_(std::move(commit)), machine_(load::machine_name()) {
    if (!as_json_) {
        std::printf("machine %s, commit %s, load generator on the same machine\n", machine_.c_str(),
                    commit_.c_str());
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
            line +=
                fmt::format(R"(,"min":{:.6g},"p50":{:.6g},"p99":{:.6g},"max":{:.6g},"count":{})",
                            figure.spread->min, figure.spread->p50, figure.spread->p99,
                            figure.spread->max, figure.spread->count);
        }
        if (figure.bound) {
            line += fmt::format(R"(,"bound":"{} {} {:g}","holds":{})",
                                figure.value ? "value" : (figure.bound_on_p99 ? "p99" : "p50"),
                                figure.bound->kind == Bound::Kind::at_most ? "<=" : ">=",
                                figure.bound->limit, *holds);
        }
        std::printf("%s,\"machine\":\"%s\",\"commit\":\"%s\"}\n", line.c_str(), machine_.c_str(),
                    commit_.c_str());
    } else {
        std::string text = fmt::format("{:<24} {:<34} ", figure.bench, figure.metric);
        text += figure.value ? fmt::format("{:>12.5g} {}", *figure.value, figure.unit)
                             : fmt::format("min {:.5g}  p50 {:.5g}  p99 {:.5g}  max {:.5g} {}",
                                           figure.spread->min, figure.spread->p50,
                                           figure.spread->p99, figure.spread->max, figure.unit);
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
