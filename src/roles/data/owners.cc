#include "roles/data/owners.h"

#include <algorithm>

#include "base/check.h"

namespace muster::data {
namespace {

std::optional<Mark> value_of(const store::MarkPtr& mark) {
    return mark == nullptr ? std::nullopt : std::optional(*mark);
}

}  // namespace

store::OwnerId Owners::of(const NodeId& session, Incarnation life) {
    if (session.raw() == kHeldOwner) {
        return store::kNobody;
    }
    const auto [known, inserted] = numbers_.try_emplace(session, sessions_.size() + 1);
    if (inserted) {
        sessions_.push_back(session);
    }
    return store::owner_of(known->second, life);
}

std::optional<store::OwnerId> Owners::find(const NodeId& session, Incarnation life) const {
    const auto known = numbers_.find(session);
    return known == numbers_.end() ? std::nullopt
                                   : std::optional(store::owner_of(known->second, life));
}

const NodeId& Owners::session(store::OwnerId owner) const {
    static const NodeId nobody(kHeldOwner);
    if (owner == store::kNobody) {
        return nobody;
    }
    const std::uint64_t number = owner.raw() >> store::kLifeBits;
    CHECK(number > 0 && number <= sessions_.size());
    return sessions_[number - 1];
}

msg::OwnedWrite Owners::named(const store::Effect& effect) const {
    return {.id = effect.regist_id(),
            .publication = effect.publication,
            .order = effect.order,
            .cause = effect.cause,
            .owner = session(effect.owner),
            .owner_life = life(effect.owner),
            .owner_seq = effect.owner_seq,
            .mark = value_of(effect.mark)};
}

msg::OwnedWrite Owners::named(const store::Write& effect) const {
    return {.id = effect.id,
            .publication = effect.publication,
            .order = effect.order,
            .cause = effect.cause,
            .owner = session(effect.owner),
            .owner_life = life(effect.owner),
            .owner_seq = effect.owner_seq};
}

msg::OwnedWrite Owners::named(const store::Tombstone& stone) const {
    msg::OwnedWrite write = named(stone.removal);
    write.mark = value_of(stone.mark);
    return write;
}

msg::SlotEntry Owners::named(const store::LogEntry& entry) const {
    msg::SlotEntry told{.service = entry.service,
                        .from = entry.from,
                        .to = entry.to,
                        .writes = {},
                        .trace = entry.trace};
    told.writes.reserve(entry.effects.size());
    for (const store::Effect& effect : entry.effects) {
        told.writes.push_back(named(effect));
    }
    return told;
}

store::Write Owners::numbered(const msg::OwnedWrite& write, const ServicePtr& service) {
    return {.id = write.id,
            .service = service,
            .publication = write.publication,
            .order = write.order,
            .cause = write.cause,
            .owner = of(write.owner, write.owner_life),
            .owner_seq = write.owner_seq};
}

// Within the bounds of a mark, whatever was told.
store::MarkPtr Owners::mark_of(const msg::OwnedWrite& write) {
    if (!write.mark) {
        return nullptr;
    }
    Mark mark = *write.mark;
    mark.ramp_ms = std::clamp<std::int64_t>(mark.ramp_ms, 0, Mark::kRampMsMax);
    return std::make_shared<const Mark>(mark);
}

}  // namespace muster::data
