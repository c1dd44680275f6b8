#include "apps/demo/sightings.h"

#include <chrono>

namespace muster::demo {

void Sightings::on_list(const std::string& service, const sdk::List& list) {
    const std::uint64_t now = muster_now_ns();
    std::map<std::string, Seen> told;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const sdk::Endpoint endpoint = list[i];
        Seen seen{.name = std::string(list.metadata(i, "name")),
                  .address = endpoint.address(),
                  .zone = std::string(endpoint.zone),
                  .version = std::string(list.metadata(i, "version")),
                  .pid = std::string(list.metadata(i, "pid")),
                  .since_ns = now};
        told.insert_or_assign(seen.name, std::move(seen));
    }
    const std::lock_guard hold(mutex_);
    ServiceSeen& known = services_[service];
    for (const auto& [name, seen] : known.providers) {
        if (!told.contains(name)) {
            note(now, name, "- " + name + " at " + seen.address + " has gone");
        }
    }
    for (auto& [name, seen] : told) {
        const auto before = known.providers.find(name);
        if (before == known.providers.end() || before->second.pid != seen.pid) {
            note(now, name, "+ " + name + " at " + seen.address + ", version " + seen.version);
        } else {
            seen.since_ns = before->second.since_ns;
        }
    }
    known.version = list.version();
    known.stale = list.stale();
    known.told_ns = now;
    known.providers = std::move(told);
    changed_.notify_all();
}

void Sightings::note(std::uint64_t at_ns, const std::string& name, std::string text) {
    Change change{.at_ns = at_ns, .text = std::move(text)};
    if (const auto expected = expected_.find(name); expected != expected_.end()) {
        change.latency_us = (at_ns - expected->second) / 1000;
        expected_.erase(expected);
    }
    changes_.push_back(std::move(change));
    if (changes_.size() > kChangesKept) {
        changes_.pop_front();
    }
}

void Sightings::expect(const std::string& name, std::uint64_t caused_ns) {
    const std::lock_guard hold(mutex_);
    expected_[name] = caused_ns;
}

std::map<std::string, ServiceSeen> Sightings::services() const {
    const std::lock_guard hold(mutex_);
    return services_;
}

std::deque<Change> Sightings::changes() const {
    const std::lock_guard hold(mutex_);
    return changes_;
}

bool Sightings::await(const Wish& wish, int patience_ms) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::milliseconds(patience_ms), [&] {
        const auto service = services_.find(wish.service);
        if (service == services_.end()) {
            return false;
        }
        const auto seen = service->second.providers.find(wish.name);
        const bool there = seen != service->second.providers.end() &&
                           (wish.version.empty() || seen->second.version == wish.version);
        return there == wish.there;
    });
}

}  // namespace muster::demo
