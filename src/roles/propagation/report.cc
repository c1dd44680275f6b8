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

}  // namespace

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
