#include "roles/propagation/history.h"

#include <algorithm>
#include <utility>

namespace muster::propagation {

History::History(const Asker& asker, const AskingEnv& env, HistoryQuestion question,
                 AskingOptions options)
    : asker_(asker), env_(env), options_(options), question_(std::move(question)) {}

void History::begin() {
    began_ = env_.clock.mono();
    const auto ago = [now = env_.clock.wall().unix_ms](Duration duration) {
        return duration > Duration::zero() ? std::max<std::int64_t>(now - to_ms(duration), 0) : 0;
    };
    since_ms_ = ago(question_.since);
    until_ms_ = ago(question_.until);
    awaited_ = env_.known().living(Role::data);
    over_ = awaited_.empty();
    ask();
}

void History::ask() {
    asked_at_ = env_.clock.mono();
    for (const NodeId& node : awaited_) {
        env_.outbox.send({node, Role::data}, msg::HistoryRequest{.incarnation = asker_.life,
                                                                 .request = asker_.request(),
                                                                 .service = question_.service,
                                                                 .address = question_.address,
                                                                 .since_ms = since_ms_,
                                                                 .until_ms = until_ms_,
                                                                 .limit = question_.limit});
    }
}

// The second answer of a node that was asked twice says nothing new.
void History::take(const msg::RoleAddress& from, const msg::HistoryReply& reply) {
    if (reply.incarnation != asker_.life || reply.request != asker_.request() ||
        awaited_.erase(from.node) == 0) {
        return;
    }
    answers_.emplace(from.node, reply);
    over_ = awaited_.empty();
}

MonoTime History::due() const {
    return std::min(asked_at_ + options_.ask_again, began_ + options_.patience);
}

void History::on_timer() {
    const MonoTime now = env_.clock.mono();
    if (over_ || now < due()) {
        return;
    }
    if (now - began_ >= options_.patience) {
        over_ = true;
    } else {
        ask();
    }
}

HistoryReport History::report() const {
    HistoryReport report{.service = question_.service,
                         .lines = {},
                         .nodes = {},
                         .lost = {},
                         .silent = {awaited_.begin(), awaited_.end()}};
    for (const auto& [node, reply] : answers_) {
        report.nodes.push_back(
            {.node = node,
             .reaches_ms = reply.reaches_ms,
             .refused = reply.result ? std::string() : to_string(reply.result.error())});
        report.more = report.more || reply.more;
        for (const HistoryRecord& record : reply.records) {
            report.lines.push_back({node, record});
        }
        for (const HistoryLoss& loss : reply.lost) {
            report.lost.push_back({node, loss});
        }
    }
    // Of one node they stay in the order in which it noted them.
    std::ranges::stable_sort(report.lines, std::greater{},
                             [](const auto& line) { return line.record.at_ms; });
    std::ranges::stable_sort(report.lost, std::greater{},
                             [](const auto& lost) { return lost.loss.to_ms; });
    if (report.lines.size() > question_.limit) {
        report.lines.resize(question_.limit);
        report.more = true;
    }
    return report;
}

}  // namespace muster::propagation
