#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "roles/data/session_links.h"

namespace muster::data {

// Which sessions want to be told of a service: the interests of all links, read the other way, so
// that a change costs as much as it has watchers, however many sessions there are. Bounds: those of
// the interests. Holds on to links: whoever ends one removes its interests first.
class Watchers {
public:
    // Requires: it is not among them.
    void add(const std::string& name, SessionLink& link) {
        auto& links = by_name_[name];
        links.insert(std::ranges::lower_bound(links, link.node, {}, &SessionLink::node), &link);
    }
    void remove(const std::string& name, const SessionLink& link) {
        const auto found = by_name_.find(name);
        if (found != by_name_.end() && std::erase(found->second, &link) > 0 &&
            found->second.empty()) {
            by_name_.erase(found);
        }
    }
    // In the order of their nodes; valid until the next change.
    [[nodiscard]] std::span<SessionLink* const> of(const std::string& name) const {
        const auto found = by_name_.find(name);
        return found == by_name_.end() ? std::span<SessionLink* const>() : found->second;
    }

private:
    std::unordered_map<std::string, std::vector<SessionLink*>> by_name_;  // by data_info_id
};

}  // namespace muster::data
