#include "roles/meta/liveness.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace muster::meta {

void Liveness::hear(const msg::RoleAddress& who, const Heard& heard) {
    heard_[who] = heard;
    const auto found = processes_.find(who.node);
    if (found == processes_.end()) {
        return;
    }
    Process& process = found->second;
    process.closed.reset();
    for (const auto& [reporter, since] : std::exchange(process.reports, {})) {
        process.answered.insert(reporter);
    }
    if (const auto ended = std::exchange(process.believed_ended, std::nullopt);
        ended && heard.incarnation <= *ended) {
        process.doubted_until = heard.last + options_.doubt;
    }
}

void Liveness::closed(const NodeId& node, MonoTime now) {
    auto& since = processes_[node].closed;
    since = since.value_or(now);
}

void Liveness::up(const NodeId& node) {
    if (const auto found = processes_.find(node); found != processes_.end()) {
        found->second.closed.reset();
    }
}

void Liveness::report(const NodeId& reporter, const std::vector<msg::NodeHeartbeat::Lost>& lost,
                      MonoTime now) {
    if (lost.empty() && !reported_.contains(reporter)) {
        return;
    }
    std::set<NodeId> names;
    for (const auto& [node, life] : lost) {
        if (life == Incarnation{} || life >= latest_life(node)) {
            names.insert(node);
        }
    }
    for (const NodeId& before : reported_[reporter]) {
        if (!names.contains(before)) {
            processes_[before].reports.erase(reporter);
            processes_[before].answered.erase(reporter);
        }
    }
    for (const NodeId& node : names) {
        Process& process = processes_[node];
        if (node != reporter && !process.answered.contains(reporter)) {
            process.reports.try_emplace(reporter, now);
        }
    }
    if (names.empty()) {
        reported_.erase(reporter);
    } else {
        reported_[reporter] = names;
    }
}

void Liveness::grant_all(MonoTime now) {
    for (auto& [who, heard] : heard_) {
        heard.last = now;
    }
    for (auto& [node, process] : processes_) {
        if (process.closed) {
            process.closed = now;
        }
        for (auto& [reporter, since] : process.reports) {
            since = now;
        }
    }
}

void Liveness::believe_ended(const NodeId& node) {
    processes_[node].believed_ended = latest_life(node);
}

Incarnation Liveness::latest_life(const NodeId& node) const {
    Incarnation latest;
    for (const auto& [who, heard] : heard_) {
        latest = who.node == node ? std::max(latest, heard.incarnation) : latest;
    }
    return latest;
}

void Liveness::forget(const msg::RoleAddress& who) {
    heard_.erase(who);
    const bool gone =
        std::ranges::none_of(heard_, [&](const auto& one) { return one.first.node == who.node; });
    if (gone) {
        report(who.node, {}, MonoTime());
        processes_.erase(who.node);
    }
}

const Liveness::Heard* Liveness::find(const msg::RoleAddress& who) const {
    const auto found = heard_.find(who);
    return found == heard_.end() ? nullptr : &found->second;
}

bool Liveness::within_lease(const msg::RoleAddress& who, MonoTime now) const {
    const Heard* heard = find(who);
    return heard != nullptr && now - heard->last < options_.lease;
}

std::optional<MonoTime> Liveness::ends_at(const NodeId& node, MonoTime now) const {
    const auto found = processes_.find(node);
    if (found == processes_.end() || found->second.doubted_until > now) {
        return std::nullopt;
    }
    const Process& process = found->second;
    if (!process.closed && process.reports.empty()) {
        return std::nullopt;
    }
    const MonoTime first = first_sign(node);
    return process.closed && !process.reports.empty() ? first : first + options_.sign_wait;
}

MonoTime Liveness::first_sign(const NodeId& node) const {
    const auto found = processes_.find(node);
    CHECK(found != processes_.end());
    const Process& process = found->second;
    std::optional<MonoTime> first = process.closed;
    for (const auto& [reporter, since] : process.reports) {
        first = std::min(first.value_or(since), since);
    }
    CHECK(first.has_value());
    return *first;
}

}  // namespace muster::meta
