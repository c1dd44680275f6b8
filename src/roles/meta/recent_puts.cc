#include "roles/meta/recent_puts.h"

#include <algorithm>

namespace muster::meta {

const RecentPuts::Put* RecentPuts::find(const msg::RoleAddress& from, std::uint64_t request,
                                        std::uint64_t content, MonoTime now) {
    const auto session = puts_.find(from);
    if (session == puts_.end()) {
        return nullptr;
    }
    auto& puts = session->second;
    while (!puts.empty() && now - puts.front().since > kKept) {
        puts.pop_front();
    }
    const auto found = std::find_if(puts.begin(), puts.end(), [&](const Put& put) {
        return put.request == request && put.content == content;
    });
    return found == puts.end() ? nullptr : &*found;
}

void RecentPuts::begin(const msg::RoleAddress& from, std::uint64_t request, std::uint64_t content,
                       MonoTime now) {
    if (puts_.size() >= kSessions && !puts_.contains(from)) {
        std::erase_if(puts_, [&](const auto& session) {
            return session.second.empty() || now - session.second.back().since > kKept;
        });
        if (puts_.size() >= kSessions) {
            return;  // a doubled put of one session more is carried out twice
        }
    }
    auto& puts = puts_[from];
    if (puts.size() >= kPutsPerSession) {
        puts.pop_front();
    }
    puts.push_back({.request = request, .content = content, .since = now, .result = {}});
}

void RecentPuts::finish(const msg::RoleAddress& from, std::uint64_t request, std::uint64_t content,
                        const Result<Version>& result) {
    const auto session = puts_.find(from);
    if (session == puts_.end()) {
        return;
    }
    auto& puts = session->second;
    const auto found = std::find_if(puts.begin(), puts.end(), [&](const Put& put) {
        return put.request == request && put.content == content;
    });
    if (found == puts.end()) {
        return;
    }
    if (result) {
        found->result = result;
    } else {
        puts.erase(found);
    }
}

}  // namespace muster::meta
