#include "roles/client/deliveries.h"

namespace muster::client {

void Deliveries::wait(WishId wish) {
    erase(wish);
    waiting_.insert(wish);
}

void Deliveries::wait_all() {
    waiting_.merge(resting_);
    waiting_.merge(done_);
    for (const auto& [wish, request] : sent_) {
        waiting_.insert(wish);
    }
    sent_.clear();
}

void Deliveries::erase(WishId wish) {
    waiting_.erase(wish);
    resting_.erase(wish);
    sent_.erase(wish);
    done_.erase(wish);
}

void Deliveries::sent(WishId wish, msg::RequestId request) {
    erase(wish);
    sent_.emplace(wish, request);
}

bool Deliveries::is_carried_by(WishId wish, msg::RequestId request) const {
    const auto found = sent_.find(wish);
    return found != sent_.end() && found->second == request;
}

void Deliveries::done(WishId wish) {
    erase(wish);
    done_.insert(wish);
}

void Deliveries::rest(WishId wish) {
    erase(wish);
    resting_.insert(wish);
}

void Deliveries::wake() {
    waiting_.merge(resting_);
}

}  // namespace muster::client
