#include "roles/meta/put_order.h"

#include <algorithm>

namespace muster::meta {

void PutOrder::begin_term(std::uint64_t term) {
    *this = PutOrder();
    term_ = term;
}

msg::PutTurn PutOrder::next_turn() {
    return {.term = term_, .number = ++given_};
}

Result<const PutOrder::Outcome*> PutOrder::admit(std::string_view key, const msg::PutTurn& turn) {
    if (turn.term != term_ || turn.number == 0 || turn.number > given_) {
        return fail(Errc::conflict, "the metas started anew while this change was on its way");
    }
    auto known = latest_.find(key);
    if (known != latest_.end() && known->second.number == turn.number) {
        return &known->second.outcome;
    }
    if (known == latest_.end() && latest_.size() >= kKeysMax) {
        latest_.clear();
        over_ = admitted_;
    }
    const std::uint64_t after = known == latest_.end() ? over_ : known->second.number;
    if (turn.number <= after) {
        return fail(Errc::conflict, "a newer change of this value overtook this one");
    }
    latest_.insert_or_assign(std::string(key), Latest{.number = turn.number, .outcome = {}});
    admitted_ = std::max(admitted_, turn.number);
    return nullptr;
}

void PutOrder::finish(std::string_view key, const msg::PutTurn& turn,
                      const Result<Version>& result) {
    const auto known = latest_.find(key);
    if (turn.term == term_ && known != latest_.end() && known->second.number == turn.number) {
        known->second.outcome = result;
    }
}

}  // namespace muster::meta
