#include "roles/propagation/report.h"

#include <algorithm>
#include <tuple>

namespace muster::propagation {
namespace {

bool is_further_behind(const Report::Line& a, const Report::Line& b) {
    const auto& x = a.subscriber;
    const auto& y = b.subscriber;
    return std::tuple(y.behind, y.behind_ms, x.acknowledged, std::tie(a.session)) <
           std::tuple(x.behind, x.behind_ms, y.acknowledged, std::tie(b.session));
}

// What has other buckets is of another release, and left out.
bool is_readable(const msg::StageCounts& told) {
    return told.counts.size() == StageHistogram::Counts{}.size();
}

void add_stage(std::vector<Report::StageSum>& sums, const msg::StageCounts& told) {
    auto sum = std::ranges::find(sums, told.stage, &Report::StageSum::stage);
    if (sum == sums.end()) {
        sum = sums.insert(sums.end(), Report::StageSum{.stage = told.stage});
    }
    for (std::size_t i = 0; i < told.counts.size(); ++i) {
        sum->counts.at(i) += told.counts[i];
        sum->count += told.counts[i];
    }
    sum->sum_us += told.sum_us;
    sum->max_us = std::max(sum->max_us, told.max_us);
    sum->below_zero += told.below_zero;
}

}  // namespace

// Within a bucket they are taken as spread evenly.
std::uint64_t Report::StageSum::quantile_us(std::uint64_t percent) const {
    constexpr std::uint64_t kAll = 100;
    const std::uint64_t rank =
        (count / kAll * percent) + (count % kAll * percent + kAll - 1) / kAll;
    std::uint64_t below = 0;
    std::uint64_t from = 0;
    for (std::size_t i = 0; i < StageHistogram::kBoundsUs.size(); ++i) {
        const std::uint64_t to = StageHistogram::kBoundsUs.at(i);
        const std::uint64_t inside = counts.at(i);
        if (inside > 0 && below + inside >= rank) {
            const std::uint64_t step = std::max<std::uint64_t>(inside / (to - from), 1);
            const std::uint64_t into = (to - from) * ((rank - below) / step) / (inside / step);
            return std::min({from + into, to, max_us});
        }
        below += inside;
        from = to;
    }
    return max_us;
}

void Report::add(const SessionRound& round, std::size_t limit) {
    for (const auto& [node, answer] : round.answers()) {
        sessions.push_back({.node = node,
                            .version = answer.version,
                            .complete = answer.complete,
                            .lists = answer.lists,
                            .behind = answer.behind,
                            .congested = answer.congested});
        lists += answer.lists;
        behind += answer.behind;
        congested += answer.congested;
        for (const msg::StageCounts& told : answer.stages) {
            if (is_readable(told)) {
                add_stage(stages, told);
            }
        }
        measured_ms = std::max(measured_ms, answer.measured_ms);
        for (const msg::SubscriberLine& line : answer.lines) {
            lines.push_back({node, line});
        }
    }
    std::ranges::stable_sort(lines, is_further_behind);
    lines.resize(std::min(lines.size(), limit));
    for (const NodeId& node : round.silent()) {
        silent.push_back({node, Role::session});
    }
}

}  // namespace muster::propagation
