#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "msg/node_meta.h"

namespace muster::session {

// From when on a session has too many clients: beyond its fair share by both of these.
struct BalanceLimits {
    std::size_t percent_over = 10;
    std::size_t count_over = 5;
};

// What is known of the clients of all sessions.
struct BalanceView {
    NodeId self;
    std::uint64_t clients = 0;  // of ours, without those that were asked to go
    // All there are, at least: those on their way from one to another are counted nowhere.
    std::uint64_t total = 0;
    const std::vector<msg::ClientLoad>& sessions;  // those that clients may be sent to, and ours
    bool moving = false;                           // some were sent away, and it is not over yet
};

// How many clients are too many here, and who lacks how many.
struct BalancePlan {
    struct Room {
        NodeId session;
        std::uint64_t clients = 0;
    };
    std::uint64_t away = 0;
    std::vector<Room> rooms = {};  // in the order of the sessions; empty when `away` is zero
};

// Shares are in proportion to capacities; a session that says none counts as the mean of those that
// do. It begins beyond the limits and ends at half of them, so that small differences move nobody;
// nobody is left with less than the share. Sessions that plan at the same time from the same counts
// fill no room twice over: all they give away is what others lack, and each gives to all in
// proportion to what they lack. Pure.
[[nodiscard]] BalancePlan plan_balance(const BalanceView& view, const BalanceLimits& limits);

}  // namespace muster::session
