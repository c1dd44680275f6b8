#include "roles/client/server_choice.h"

#include <algorithm>
#include <utility>

namespace muster::client {

ServerChoice::ServerChoice(std::vector<std::string> configured, std::size_t servers_max, Prng& prng)
    : servers_max_(servers_max), prng_(prng), configured_(std::move(configured)) {
    rebuild();
}

void ServerChoice::configure(std::vector<std::string> servers) {
    configured_ = std::move(servers);
    learnt_.clear();
    rebuild();
}

void ServerChoice::learn(std::vector<std::string> servers) {
    shuffle(servers);
    servers.resize(std::min(servers.size(), servers_max_));
    std::ranges::sort(servers);
    if (servers != learnt_) {
        learnt_ = std::move(servers);
        rebuild();
    }
}

std::string ServerChoice::next() {
    if (order_.empty()) {
        return {};
    }
    if (position_ == order_.size()) {
        const std::string last = order_.back();
        shuffle(order_);
        if (order_.size() > 1 && order_.front() == last) {
            std::swap(order_.front(), order_.back());
        }
        position_ = 0;
    }
    return order_[position_++];
}

void ServerChoice::rebuild() {
    order_ = configured_;
    order_.insert(order_.end(), learnt_.begin(), learnt_.end());
    std::erase(order_, "");
    std::ranges::sort(order_);
    order_.erase(std::ranges::unique(order_).begin(), order_.end());
    shuffle(order_);
    position_ = 0;
}

// Fisher and Yates.
void ServerChoice::shuffle(std::vector<std::string>& servers) {
    for (std::size_t i = servers.size(); i > 1; --i) {
        std::swap(servers[i - 1], servers[prng_.below(i)]);
    }
}

Duration retry_delay(const RetryOptions& options, std::uint32_t attempt, Prng& prng) {
    if (attempt == 0) {
        return Duration(prng.between(0, options.first_spread.count()));
    }
    constexpr std::uint32_t kDoublingsMax = 20;
    const Duration grown = options.base * (std::int64_t{1} << std::min(attempt, kDoublingsMax));
    const Duration delay = std::min(grown, options.max);
    return Duration(prng.between(delay.count() / 2, delay.count()));
}

}  // namespace muster::client
