#include "roles/session/balance_plan.h"

#include <algorithm>

namespace muster::session {
namespace {

// Larger ones say nothing more, and products of these stay far below 64 bits.
constexpr std::uint64_t kClientsMax = 1 << 28;
constexpr std::uint64_t kCapacityMax = 1 << 28;

// The capacity that stands for those that say none.
std::uint64_t usual_capacity(const std::vector<msg::ClientLoad>& sessions) {
    std::uint64_t sum = 0;
    std::uint64_t count = 0;
    for (const msg::ClientLoad& one : sessions) {
        sum += std::min(one.capacity, kCapacityMax);
        count += one.capacity > 0 ? 1 : 0;
    }
    return count == 0 ? 1 : std::max<std::uint64_t>(sum / count, 1);
}

// Fair shares of `total`, rounded up, in the order of the sessions.
std::vector<std::uint64_t> shares_of(std::uint64_t total,
                                     const std::vector<msg::ClientLoad>& sessions) {
    const std::uint64_t usual = usual_capacity(sessions);
    const auto capacity = [&](const msg::ClientLoad& one) {
        return one.capacity == 0 ? usual : std::min(one.capacity, kCapacityMax);
    };
    std::uint64_t all = 0;
    for (const msg::ClientLoad& one : sessions) {
        all += capacity(one);
    }
    std::vector<std::uint64_t> shares;
    shares.reserve(sessions.size());
    for (const msg::ClientLoad& one : sessions) {
        shares.push_back((total * capacity(one) + all - 1) / all);
    }
    return shares;
}

}  // namespace

BalancePlan plan_balance(const BalanceView& view, const BalanceLimits& limits) {
    const auto self = std::ranges::find(view.sessions, view.self, &msg::ClientLoad::session);
    if (self == view.sessions.end()) {
        return {};
    }
    std::uint64_t told = 0;
    for (const msg::ClientLoad& one : view.sessions) {
        told += std::min(one.clients, kClientsMax);
    }
    const std::uint64_t total = std::min(std::max(told, view.total), kClientsMax);
    const std::vector<std::uint64_t> shares = shares_of(total, view.sessions);
    const std::uint64_t share = shares[static_cast<std::size_t>(self - view.sessions.begin())];
    const std::uint64_t over = view.clients - std::min(view.clients, share);
    const std::uint64_t limit =
        std::max<std::uint64_t>(share * limits.percent_over / 100, limits.count_over);
    if (over <= (view.moving ? limit / 2 : limit)) {
        return {};
    }
    BalancePlan plan{.away = over};
    for (std::size_t i = 0; i < shares.size(); ++i) {
        const msg::ClientLoad& one = view.sessions[i];
        if (one.session != view.self && one.clients < shares[i]) {
            plan.rooms.push_back({one.session, shares[i] - one.clients});
        }
    }
    return plan.rooms.empty() ? BalancePlan{} : plan;
}

}  // namespace muster::session
