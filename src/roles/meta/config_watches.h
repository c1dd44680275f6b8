#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "msg/outbox.h"

namespace muster::meta {

// Which session's clients watch which configuration key. In memory only: sessions say it again.
class ConfigWatches {
public:
    explicit ConfigWatches(std::size_t keys_per_session_max) : max_(keys_per_session_max) {}

    // False: the session watches as many keys as it may, and this is another one.
    [[nodiscard]] bool add(const msg::RoleAddress& session, std::string_view key) {
        auto& keys = keys_[session];
        if (keys.contains(key)) {
            return true;
        }
        if (keys.size() >= max_) {
            return false;
        }
        keys.emplace(key);
        watchers_[std::string(key)].insert(session);
        ++count_;
        return true;
    }

    void forget(const msg::RoleAddress& session) {
        const auto found = keys_.find(session);
        if (found == keys_.end()) {
            return;
        }
        for (const std::string& key : found->second) {
            const auto watchers = watchers_.find(key);
            watchers->second.erase(session);
            if (watchers->second.empty()) {
                watchers_.erase(watchers);
            }
            --count_;
        }
        keys_.erase(found);
    }

    // Null: nobody. Valid until the next change.
    [[nodiscard]] const std::set<msg::RoleAddress>* watchers_of(std::string_view key) const {
        const auto found = watchers_.find(key);
        return found == watchers_.end() ? nullptr : &found->second;
    }

    [[nodiscard]] std::size_t size() const {
        return count_;
    }

private:
    std::size_t max_;
    std::size_t count_ = 0;
    std::map<msg::RoleAddress, std::set<std::string, std::less<>>> keys_;
    std::map<std::string, std::set<msg::RoleAddress>, std::less<>> watchers_;
};

}  // namespace muster::meta
