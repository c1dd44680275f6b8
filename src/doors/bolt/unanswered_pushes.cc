#include "doors/bolt/unanswered_pushes.h"

#include <tuple>

namespace muster::doors {

bool UnansweredPushes::ListOrder::operator()(const UnansweredPush* a,
                                             const UnansweredPush* b) const {
    return std::tie(*a->service, a->scope, a->zone, a->is_config) <
           std::tie(*b->service, b->scope, b->zone, b->is_config);
}

void UnansweredPushes::add(std::int32_t request_id, UnansweredPush push) {
    if (const auto earlier = by_list_.find(&push); earlier != by_list_.end()) {
        const std::int32_t earlier_id = earlier->second;
        by_list_.erase(earlier);
        by_id_.erase(earlier_id);
    }
    const auto [added, is_new] = by_id_.insert_or_assign(request_id, std::move(push));
    by_list_.emplace(&added->second, request_id);
}

std::optional<UnansweredPush> UnansweredPushes::take(std::int32_t request_id) {
    const auto found = by_id_.find(request_id);
    if (found == by_id_.end()) {
        return std::nullopt;
    }
    by_list_.erase(&found->second);
    UnansweredPush push = std::move(found->second);
    by_id_.erase(found);
    return push;
}

}  // namespace muster::doors
