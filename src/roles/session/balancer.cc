#include "roles/session/balancer.h"

#include <algorithm>

namespace muster::session {

void Balancer::disturbed(MonoTime now) {
    quiet_since_ = now;
    moving_ = false;
    totals_.clear();
}

bool Balancer::due(bool trouble, MonoTime now) {
    std::erase_if(sent_,
                  [&](const auto& item) { return now - item.second.at >= options_.ask_again; });
    if (!options_.enabled || !quiet_since_ || now - *quiet_since_ < options_.grace ||
        now - stepped_ < options_.pace) {
        return false;
    }
    stepped_ = now;
    return !trouble;
}

// The most that were counted at once of late: who is on the way is in no count.
std::uint64_t Balancer::total(const std::vector<msg::ClientLoad>& sessions, MonoTime now) {
    std::uint64_t sum = 0;
    for (const msg::ClientLoad& one : sessions) {
        sum += one.clients;
    }
    while (!totals_.empty() && totals_.back().second <= sum) {
        totals_.pop_back();
    }
    totals_.emplace_back(now, sum);
    while (now - totals_.front().first > options_.journey) {
        totals_.pop_front();
    }
    return totals_.front().second;
}

std::size_t Balancer::plan(std::size_t clients, const std::vector<msg::ClientLoad>& sessions,
                           MonoTime now) {
    const BalancePlan plan = plan_balance({.self = self_,
                                           .clients = clients - std::min(clients, sent_.size()),
                                           .total = total(sessions, now),
                                           .sessions = sessions,
                                           .moving = moving_},
                                          options_.limits);
    moving_ = plan.away > 0;
    rooms_ = plan.rooms;
    const auto pace_ms = static_cast<std::size_t>(to_ms(options_.pace));
    const std::size_t a_step = clients * options_.percent_per_second * pace_ms / 100'000;
    return std::min<std::size_t>(plan.away, std::max<std::size_t>(a_step, 1));
}

Balancer::Step Balancer::choose(std::size_t away, std::vector<Guest> guests,
                                const std::function<bool(env::ConnId)>& idle, MonoTime now) {
    std::erase_if(guests, [&](const Guest& guest) {
        return now - guest.since < options_.grace || sent_.contains(guest.conn);
    });
    Step step;
    for (std::size_t left = guests.size(); left > 0 && away > 0; --left) {
        std::swap(guests[left - 1], guests[prng_.below(left)]);
        const Guest& guest = guests[left - 1];
        if (!guest.follows_hints && !idle(guest.conn)) {
            continue;
        }
        sent_[guest.conn] = {.at = now, .closed = !guest.follows_hints};
        --away;
        if (guest.follows_hints) {
            step.ask.emplace_back(guest.conn, draw());
        } else {
            step.close.push_back(guest.conn);
        }
    }
    return step;
}

// One of those with room, the more likely the more it has.
NodeId Balancer::draw() {
    std::uint64_t all = 0;
    for (const BalancePlan::Room& room : rooms_) {
        all += room.clients;
    }
    if (all == 0) {
        return rooms_[prng_.below(rooms_.size())].session;
    }
    std::uint64_t at = prng_.below(all);
    for (BalancePlan::Room& room : rooms_) {
        if (at < room.clients) {
            --room.clients;
            return room.session;
        }
        at -= room.clients;
    }
    return rooms_.back().session;
}

}  // namespace muster::session
