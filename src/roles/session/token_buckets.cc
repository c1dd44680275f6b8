#include "roles/session/token_buckets.h"

#include <algorithm>

#include "base/check.h"

namespace muster::session {
namespace {

const std::string kOthers;  // no client and no tenant has this name

}  // namespace

TokenBuckets::TokenBuckets(const RateLimit& limit) {
    constexpr std::uint64_t kMost = 1'000'000'000;
    CHECK(limit.per_second <= kMost && limit.burst >= 1 && limit.burst <= kMost);
    if (limit.per_second > 0) {
        interval_ = Duration(std::chrono::seconds(1)) / limit.per_second;
        depth_ = interval_ * limit.burst;
    }
}

const std::string& TokenBuckets::key_of(const std::string& name) const {
    return full_at_.size() < kNamesMax || full_at_.contains(name) ? name : kOthers;
}

Duration TokenBuckets::until_token(const std::string& name, MonoTime now) const {
    if (interval_ == Duration{}) {
        return {};
    }
    const auto known = full_at_.find(key_of(name));
    if (known == full_at_.end()) {
        return {};
    }
    return std::max(known->second + interval_ - depth_ - now, Duration{});
}

void TokenBuckets::take(const std::string& name, MonoTime now) {
    if (interval_ == Duration{}) {
        return;
    }
    MonoTime& full_at = full_at_[key_of(name)];
    full_at = std::min(std::max(full_at, now) + interval_, now + depth_);
}

void TokenBuckets::sweep(MonoTime now) {
    std::erase_if(full_at_, [&](const auto& item) { return item.second <= now; });
}

}  // namespace muster::session
