#include "store/tombstones.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace muster::store {

const Write* Tombstones::find(const RegistId& id) const {
    const auto known = by_id_.find(id);
    return known == by_id_.end() ? nullptr : &known->second.removal;
}

std::optional<std::uint64_t> Tombstones::connection(const RegistId& id) const {
    const auto known = by_id_.find(id);
    return known == by_id_.end() || by_word(known->second.removal.cause) ? std::nullopt
                                                                         : known->second.connection;
}

bool Tombstones::bury(const Tombstone& tombstone) {
    const Write& removal = tombstone.removal;
    if (const Write* known = find(removal.id); known != nullptr) {
        const bool again =
            by_word(known->cause) || (!by_word(removal.cause) && !tombstone.connection);
        if (removal.order < known->order || (removal.order == known->order && again)) {
            return false;
        }
    }
    set(tombstone);
    return true;
}

void Tombstones::set(const Tombstone& tombstone) {
    const Write& removal = tombstone.removal;
    CHECK(removal.service != nullptr && removal.publication == nullptr);
    const auto [known, inserted] = by_id_.try_emplace(removal.id);
    if (!inserted) {
        unindex(known->second);
    }
    MarkPtr kept = by_word(removal.cause) ? nullptr : std::move(known->second.mark);
    known->second = tombstone;
    if (tombstone.mark == nullptr) {
        known->second.mark = std::move(kept);  // it closed before, and again elsewhere
    }
    if (by_word(removal.cause) || tombstone.connection) {
        departed_[removal.service->data_info_id()].insert(removal.id);
    }
    ages_.emplace_back(tombstone.since, removal.id);
    while (ages_.size() > kMax) {
        forget_oldest();
    }
}

MarkPtr Tombstones::take_mark(const RegistId& id) {
    const auto known = by_id_.find(id);
    return known == by_id_.end() ? nullptr : std::exchange(known->second.mark, nullptr);
}

void Tombstones::unindex(const Tombstone& tombstone) {
    const auto service = departed_.find(tombstone.removal.service->data_info_id());
    if (service != departed_.end()) {
        service->second.erase(tombstone.removal.id);
        if (service->second.empty()) {
            departed_.erase(service);
        }
    }
}

// Of one that was buried again since only the earlier burial is forgotten.
void Tombstones::forget_oldest() {
    const auto& [since, id] = ages_.front();
    if (const auto known = by_id_.find(id); known != by_id_.end() && known->second.since == since) {
        unindex(known->second);
        by_id_.erase(known);
    }
    ages_.pop_front();
    ++first_burial_;
}

std::size_t Tombstones::sweep(MonoTime now, std::size_t most) {
    std::size_t forgotten = 0;
    for (; forgotten < most && !ages_.empty() && now - ages_.front().first >= kAge; ++forgotten) {
        forget_oldest();
    }
    return forgotten;
}

std::vector<Departure> Tombstones::departed(const Service& service) const {
    std::vector<Departure> departed;
    if (const auto ids = departed_.find(service.data_info_id()); ids != departed_.end()) {
        departed.reserve(ids->second.size());
        for (const RegistId& id : ids->second) {
            departed.push_back(
                {.id = id, .order = by_id_.at(id).removal.order, .connection = connection(id)});
        }
        std::ranges::sort(departed, {}, &Departure::id);
    }
    return departed;
}

void Tombstones::visit(std::uint64_t after_burial, const Visit& visit) const {
    std::uint64_t burial = std::max(after_burial + 1, first_burial_);
    for (; burial < first_burial_ + ages_.size(); ++burial) {
        const auto& [since, id] = ages_[burial - first_burial_];
        const auto known = by_id_.find(id);
        if (known == by_id_.end() || known->second.since != since) {
            continue;  // buried again since
        }
        if (!visit(burial, known->second)) {
            return;
        }
    }
}

}  // namespace muster::store
