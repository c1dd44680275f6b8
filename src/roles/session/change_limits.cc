#include "roles/session/change_limits.h"

#include <algorithm>

#include "base/check.h"

namespace muster::session {
namespace {

const std::string kOthers;  // no client and no tenant has this name

Error too_often(const std::string& who, Duration wait) {
    return {Errc::over_limit, who +
                                  " changes publications more often than it may; the next one can "
                                  "be taken in " +
                                  std::to_string(to_ms(wait) + 1) + " ms"};
}

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

Result<void> ChangeLimits::admit(Kind kind, const std::string& client, const std::string& tenant,
                                 MonoTime now) {
    if (const Duration wait = clients_.until_token(client, now); wait > Duration{}) {
        refused_of_clients_.add();
        return std::unexpected(too_often("this client", wait));
    }
    if (kind == Kind::first) {
        return {};
    }
    if (const Duration wait = tenants_.until_token(tenant, now); wait > Duration{}) {
        refused_of_tenants_.add();
        return std::unexpected(too_often("tenant '" + tenant + "'", wait));
    }
    left(client, tenant, now);
    return {};
}

void ChangeLimits::left(const std::string& client, const std::string& tenant, MonoTime now) {
    clients_.take(client, now);
    tenants_.take(tenant, now);
}

void ChangeLimits::sweep(MonoTime now) {
    clients_.sweep(now);
    tenants_.sweep(now);
}

}  // namespace muster::session
